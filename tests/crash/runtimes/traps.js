// SPDX-License-Identifier: Apache-2.0
// traps.js ROUNDS [abort|kill]: catches out-of-bounds traps of WebAssembly, which V8 has of SIGSEGV, then ends as it is
// asked to.
//
// (module (memory 1) (func (export "peek") (param i32) (result i32) local.get 0 i32.load))
const faulty = new WebAssembly.Module(new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 112, 101, 101,
    107, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11,
]));
const { peek } = new WebAssembly.Instance(faulty).exports;
let caught = 0;
for (let i = 0; i < Number(process.argv[2]); i++) {
    try {
        peek(i % 2 ? 0 : -16);
    } catch (error) {
        caught += error instanceof WebAssembly.RuntimeError;
    }
}
console.log(`caught ${caught}`);
if (process.argv[3] === 'abort') {
    process.abort();
} else if (process.argv[3] === 'kill') {
    process.kill(process.pid, 'SIGSEGV');
}
