/**
 * The part of the WebAssembly JavaScript interface that usernet uses.
 *
 * Portable folders compile with `types: []` and without the DOM library, so neither declares `WebAssembly`; @types/node does not
 * either. `Memory.buffer` is typed for shared memories as well, which is what usernet makes.
 */
// biome-ignore lint/style/noNamespace: the global has this name
declare namespace WebAssembly {
  interface MemoryDescriptor {
    /** Pages of 64 KiB. */
    initial: number;
    maximum?: number;
    shared?: boolean;
  }

  interface Memory {
    readonly buffer: ArrayBufferLike;
  }

  const Memory: new (descriptor: MemoryDescriptor) => Memory;

  interface ModuleExportDescriptor {
    kind: string;
    name: string;
  }

  interface Module {
    readonly __module?: never;
  }

  const Module: {
    new (bytes: ArrayBufferView | ArrayBuffer): Module;
    exports(module: Module): ModuleExportDescriptor[];
  };

  interface Instance {
    readonly exports: Record<string, unknown>;
  }

  const Instance: new (module: Module, imports?: Record<string, Record<string, unknown>>) => Instance;
}
