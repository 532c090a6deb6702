/** How the float32 set comes by SIMD kernels, and what happens where it does not. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DistilgradError } from "../../../src/errors.ts";
import { type Engine, engine } from "../../../src/kernels/wasm/webassembly.ts";

/** The library afresh, as at the start of a program. */
const load = async () => {
  const { float32 } = await import("../../../src/kernels/float32.ts");
  const { accelerate, simdModule } = await import("../../../src/kernels/wasm/accelerate.ts");
  const { accelerateOnce } = await import("../../../src/kernels/wasm/accelerate-once.ts");
  const { Linear } = await import("../../../src/nn/index.ts");
  return { float32, accelerate, simdModule, accelerateOnce, Linear };
};

beforeEach(() => vi.resetModules());
afterEach(() => vi.unstubAllGlobals());

const messageOf = (call: () => void): string => {
  try {
    call();
  } catch (error) {
    expect((error as DistilgradError).name).toBe("DistilgradError");
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
};

const Wasm = engine() as Engine & { validate(bytes: Uint8Array): boolean };
/** WebAssembly as under a strict content security policy: modules that were compiled before run, bytes do not. */
let refused = 0;
const strict = () => ({
  Module: Object.assign(
    class {
      static [Symbol.hasInstance](value: unknown) {
        return value instanceof Wasm.Module;
      }
      static customSections = Wasm.Module.customSections;
      constructor() {
        refused++;
        throw new Error("Refused to compile WebAssembly because of the policy");
      }
    },
  ),
  Instance: Wasm.Instance,
  Memory: Wasm.Memory,
});

describe("the float32 set", () => {
  it("is plain until the first layer is made, and then SIMD", async () => {
    const { float32, Linear } = await load();
    expect(float32.name).toBe("float32");
    new Linear(2, 2);
    expect(float32.name).toBe("float32 SIMD");
  });

  it("stays plain, silently, where bytes are not compiled, and where there is no WebAssembly", async () => {
    for (const wasm of [strict(), undefined]) {
      vi.resetModules();
      vi.stubGlobal("WebAssembly", wasm);
      const { float32, Linear } = await load();
      new Linear(2, 2);
      expect(float32.name).toBe("float32");
    }
  });

  it("takes a smaller memory where the engine refuses a large one", async () => {
    const asked: number[] = [];
    vi.stubGlobal("WebAssembly", {
      Module: Wasm.Module,
      Instance: Wasm.Instance,
      Memory: class {
        constructor(pages: { initial: number; maximum: number }) {
          asked.push(pages.initial);
          if (pages.initial > 1000) throw new RangeError("could not allocate memory");
          // biome-ignore lint/correctness/noConstructorReturn: what the engine's own constructor makes
          return new Wasm.Memory(pages);
        }
      },
    });
    const { float32, accelerateOnce } = await load();
    accelerateOnce();
    expect(float32.name).toBe("float32 SIMD");
    expect(asked).toEqual([4096, 1024, 256]);
  });
});

describe("accelerate", () => {
  it("takes a module that was compiled before, where bytes are not compiled", async () => {
    const { simdModule } = await load();
    const module = new Wasm.Module(simdModule());
    vi.resetModules();
    vi.stubGlobal("WebAssembly", strict());
    const { float32, accelerate, accelerateOnce } = await load();
    // No attempt to compile is made: a policy would report it.
    refused = 0;
    accelerate({ module });
    const { matmul } = float32;
    accelerateOnce();
    expect(refused).toBe(0);
    expect(float32.name).toBe("float32 SIMD");
    expect(float32.matmul).toBe(matmul);
    const [a, b] = [Float32Array.from({ length: 64 }, (_, i) => i), new Float32Array(64).fill(2)];
    const c = new Float32Array(64);
    float32.matmul(c, a, b, 8, 8, 8);
    expect([...c.subarray(0, 2)]).toEqual([56, 56]);
  });

  it("says why it cannot, and leaves the kernels as they are", async () => {
    const { simdModule } = await load();
    const bytes = simdModule();
    const without = "; without them the plain ones serve, which give the same bits";
    for (const [wasm, reason] of [
      [undefined, "this engine has no WebAssembly"],
      [strict(), "Refused to compile WebAssembly because of the policy"],
    ] as const) {
      vi.resetModules();
      vi.stubGlobal("WebAssembly", wasm);
      const { float32, accelerate } = await load();
      expect(messageOf(() => accelerate())).toBe(
        `accelerate: the kernels cannot be put to use here: ${reason}${without}`,
      );
      expect(float32.name).toBe("float32");
    }
    vi.unstubAllGlobals();
    vi.resetModules();
    const { float32, accelerate } = await load();
    expect(messageOf(() => accelerate({ module: bytes }))).toBe(
      "accelerate: module must be a WebAssembly.Module, got a Uint8Array",
    );
    expect(float32.name).toBe("float32");
    // The empty module, and one with another checksum.
    const changed = simdModule();
    changed[changed.length - 1] ^= 1;
    for (const other of [bytes.slice(0, 8), changed]) {
      const module = new Wasm.Module(other);
      expect(messageOf(() => accelerate({ module }))).toBe(
        "accelerate: the module holds other kernels than these; compile the bytes that simdModule() gives with the same options in this version",
      );
    }
    expect(float32.name).toBe("float32");
    expect(messageOf(() => accelerate({ fast: true } as object))).toBe(
      'accelerate: unknown option "fast"; possible are fused, module',
    );
    for (const [call, name] of [
      [accelerate, "accelerate"],
      [simdModule, "simdModule"],
    ] as const) {
      expect(messageOf(() => call({ fused: 1 } as object))).toBe(
        `${name}: fused must be true or false, got 1`,
      );
    }
  });

  it("puts fused kernels in where the engine has them, and says so", async () => {
    const { float32, accelerate, simdModule } = await load();
    const bytes = simdModule({ fused: true });
    expect(bytes).not.toEqual(simdModule());
    if (Wasm.validate(bytes)) {
      accelerate({ fused: true });
      expect(float32.name).toBe("float32 SIMD, fused");
    } else {
      expect(messageOf(() => accelerate({ fused: true }))).toMatch(
        /^accelerate: the kernels cannot be put to use here: .*simd/,
      );
      expect(float32.name).toBe("float32 SIMD");
    }
  });
});

describe("simdModule", () => {
  it("gives the same bytes each time, a few thousand of them, which every engine with SIMD accepts", async () => {
    const { simdModule } = await load();
    const bytes = simdModule();
    expect(Wasm.validate(bytes)).toBe(true);
    expect(simdModule()).toEqual(bytes);
    expect(bytes.length).toBeLessThan(32_768);
  });
});
