import { record, type Tensor, wrt } from "../../../src/tensor.ts";

/** An op y = f(x), entry by entry, whose pullback adds `share(x, dy, i)` to each entry of dx. */
export const elementwise =
  (name: string, f: (x: number) => number, share: (x: number, dy: number, i: number) => number) =>
  (x: Tensor): Tensor => {
    const y = x.kernels.alloc(x.size);
    for (let i = 0; i < y.length; i++) y[i] = f(x.data[i]);
    return record(name, y, x.shape, [
      wrt(x, (dx, dy) => {
        for (let i = 0; i < dx.length; i++) dx[i] += share(x.data[i], dy[i], i);
      }),
    ]);
  };

/** x², whose pullback adds `share(x, dy, i)`; 2 x dy is right. */
export const square = (share: (x: number, dy: number, i: number) => number): ((x: Tensor) => Tensor) =>
  elementwise("square", (x) => x * x, share);
