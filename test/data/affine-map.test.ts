import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AffineMap, mapImage } from "../../src/data/affine-map.ts";
import { sizeOf } from "../../src/shape.ts";

const still: AffineMap = { scale: 1, turn: 0, right: 0, down: 0 };

function mapped(values: readonly number[], shape: readonly number[], map: Partial<AffineMap>, fill = 0) {
  const out = new Float64Array(sizeOf(shape)).fill(99);
  mapImage(out, Float64Array.from(values), 0, shape, { ...still, ...map }, fill);
  return [...out];
}

/** 1, 2, 3, … row by row. */
const counted = (size: number): number[] => Array.from({ length: size }, (_, i) => i + 1);

/** The textbook way: solve p = c + t + s R (q − c) for q, and weigh the pixels of a padded plane by their distance. */
function reference(
  values: readonly number[],
  [channels, height, width]: readonly number[],
  map: AffineMap,
  fill: number,
) {
  const radians = (map.turn / 180) * Math.PI;
  // Columns of the matrix that moves a point (right, down) of the image, anticlockwise where down is positive.
  const [a, b, c, d] = [Math.cos(radians), Math.sin(radians), -Math.sin(radians), Math.cos(radians)].map(
    (entry) => entry * map.scale,
  );
  const determinant = a * d - b * c;
  const out: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const right = column - (width - 1) / 2 - map.right;
        const down = row - (height - 1) / 2 - map.down;
        const x = (width - 1) / 2 + (right * d - b * down) / determinant;
        const y = (height - 1) / 2 + (a * down - c * right) / determinant;
        let sum = 0;
        for (let i = Math.floor(y) - 1; i <= Math.floor(y) + 2; i++) {
          for (let j = Math.floor(x) - 1; j <= Math.floor(x) + 2; j++) {
            const inside = i >= 0 && i < height && j >= 0 && j < width;
            const pixel = inside ? values[(channel * height + i) * width + j] : fill;
            sum += Math.max(0, 1 - Math.abs(y - i)) * Math.max(0, 1 - Math.abs(x - j)) * pixel;
          }
        }
        out.push(sum);
      }
    }
  }
  return out;
}

const shapes = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
);
const number = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const maps: fc.Arbitrary<AffineMap> = fc.record({
  scale: number(0.4, 2),
  turn: number(-200, 200),
  right: number(-3, 3),
  down: number(-3, 3),
});

describe("mapImage", () => {
  it("agrees with the textbook for every map, shape, channel and fill", () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(number(-1, 1), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
        maps,
        number(-1, 1),
      ),
    );
    fc.assert(
      fc.property(cases, ([shape, values, map, fill]) => {
        const expected = reference(values, shape, map, fill);
        // Coordinates of up to 20 carry a few dozen roundings, and the values change by up to 2 a pixel.
        mapped(values, shape, map, fill).forEach((value, i) => {
          expect(Math.abs(value - expected[i])).toBeLessThan(1e-12);
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("gives back the very same values when nothing moves, whatever they are", () => {
    const odd = [-0, 0, Number.NaN, Infinity, -Infinity, 5e-324, 1e308, -1e308, 0.1];
    expect(mapped(odd, [1, 3, 3], {})).toEqual(odd);
    expect(mapped(odd.slice(0, 8), [2, 2, 2], {})).toEqual(odd.slice(0, 8));
    expect(mapped(odd, [1, 9, 1], { turn: -0, right: -0 }, 7)).toEqual(odd);
  });

  it("moves pixels exactly by whole shifts: right is towards higher columns, down towards higher rows", () => {
    expect(mapped(counted(12), [1, 3, 4], { right: 1 })).toEqual([0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11]);
    expect(mapped(counted(12), [1, 3, 4], { down: 1 }, -1)).toEqual([-1, -1, -1, -1, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(mapped([0.1, Infinity, -0, 0.3], [1, 2, 2], { right: -1, down: -1 }, 9)).toEqual([0.3, 9, 9, 9]);
    expect(mapped([0.1, Infinity, -0, 0.3], [1, 2, 2], { right: -1 }, 9)).toEqual([Infinity, 9, 0.3, 9]);
  });

  it("lies between neighbours for parts of a pixel, and blends into the fill at the border", () => {
    expect(mapped([0, 8, 4], [1, 1, 3], { right: 0.25 })).toEqual([0, 6, 5]);
    expect(mapped([0, 8, 4], [1, 1, 3], { right: 0.25 }, 16)).toEqual([4, 6, 5]);
    expect(mapped([0, 8, 4], [1, 3, 1], { down: -0.5 }, 2)).toEqual([4, 6, 3]);
  });

  it("turns anticlockwise: by 90° a square image is a permutation of its pixels, up to the rounding of cos 90°", () => {
    expect(mapped(counted(4), [1, 2, 2], { turn: 90 }).map(Math.round)).toEqual([2, 4, 1, 3]);
    for (const n of [1, 2, 3, 4, 5, 7]) {
      const values = counted(n * n);
      for (const turn of [90, -270]) {
        mapped(values, [1, n, n], { turn }).forEach((value, i) => {
          expect(Math.abs(value - values[(i % n) * n + n - 1 - Math.floor(i / n)])).toBeLessThan(1e-12);
        });
      }
      mapped(values, [1, n, n], { turn: 180 }).forEach((value, i) => {
        expect(Math.abs(value - values[n * n - 1 - i])).toBeLessThan(1e-12);
      });
    }
  });

  it("scales about the centre: by 2, what was one pixel from it is two pixels from it", () => {
    expect(mapped([1, 2, 4, 8, 16], [1, 1, 5], { scale: 2 })).toEqual([2, 3, 4, 6, 8]);
    expect(mapped([1, 2, 4, 8, 16], [1, 1, 5], { scale: 0.5 })).toEqual([0, 1, 4, 16, 0]);
  });

  it("keeps a constant exactly: everywhere if the fill is the same, else inside", () => {
    fc.assert(
      fc.property(maps, number(0.1, 1), (map, value) => {
        const image = new Array<number>(49).fill(value);
        expect(new Set(mapped(image, [1, 7, 7], map, value))).toEqual(new Set([value]));
        const share = mapped(new Array<number>(49).fill(0), [1, 7, 7], map, 1); // of the fill
        mapped(image, [1, 7, 7], map).forEach((got, i) => {
          if (share[i] === 0) expect(got).toBe(value);
          expect(got >= 0 && got <= value).toBe(true);
        });
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("does not hide NaN, and lets it reach no further than the next pixel", () => {
    const image = [1, 1, Number.NaN, 1, 1];
    expect(mapped(image, [1, 1, 5], { right: 0.5 })).toEqual([0.5, 1, Number.NaN, Number.NaN, 1]);
  });

  it("shows nothing but the fill from beyond the plane", () => {
    for (const map of [
      { right: 1e308 },
      { down: -1e308, turn: 33, scale: 1e-300 },
      { scale: 1e-12, right: 3 },
    ]) {
      expect(mapped(counted(4), [1, 2, 2], map, 5)).toEqual([5, 5, 5, 5]);
    }
  });

  it("reads from where the image starts, and maps each channel as it would alone", () => {
    const map = { scale: 1.1, turn: 20, right: 0.3, down: -0.6 };
    const values = counted(27).map(Math.sqrt);
    const out = new Float64Array(18);
    mapImage(out, Float32Array.from(values), 9, [2, 3, 3], map, 0);
    const alone = new Float64Array(9);
    for (const channel of [0, 1]) {
      mapImage(
        alone,
        Float32Array.from(values.slice(9 * channel + 9, 9 * channel + 18)),
        0,
        [1, 3, 3],
        map,
        0,
      );
      expect(out.subarray(9 * channel, 9 * channel + 9)).toEqual(alone);
    }
  });
});
