// SPDX-License-Identifier: Apache-2.0
//! An example of a filter in Rust, without crates: keeps only reports of certain versions.
//!
//!     filters:
//!       current: { plugin: version, begins_with: ["2.", "3."] }
//!
//! What it needs of `<cairn/plugin.h>` is declared below as the header has it. Built with
//! panic=abort: a panic ends the step, which costs this plugin's contribution and nothing else.
//! Runs in a step of the engine, in a process of its own, after the crash.
#![allow(dead_code)] // fields that only the host looks at

use std::ffi::{c_char, c_int, c_void, CStr};
use std::mem::{offset_of, size_of};
use std::ptr::null;

// ---- The ABI, as far as a filter needs it

const MAGIC: u32 = 0x314e_5243;
const KIND_FILTER: u32 = 1;
const OPTION_STRING: u32 = 1;
const OPTION_REQUIRED: u32 = 1 << 0;
const OPTION_LIST: u32 = 1 << 1;
const VALUE_STRING: u32 = 1;
const OK: c_int = 0;
const UNSUPPORTED: c_int = -2;
const DROP: i32 = 1;

#[repr(C)]
struct List {
    count: usize,
    items: *const *const c_char,
}

#[repr(C)]
struct Choice {
    name: *const c_char,
    kind: u32,
    flags: u32,
    offset: u32,
    reserved: u32,
    default_text: *const c_char,
    min: i64,
    max: i64,
    choices: *const *const c_char,
    capture: *const c_char,
    help: *const c_char,
}

#[repr(C)]
struct Value {
    kind: u32,
    boolean: i32,
    integer: i64,
    uint64: u64,
    number: f64,
    string: *const c_char,
}

/// The host's functions up to the last one that is used here; its table is larger.
#[repr(C)]
struct Host {
    size: u32,
    abi_major: u16,
    abi_minor: u16,
    log: unsafe extern "C" fn(*const Host, c_int, *const c_char, ...),
    fail: unsafe extern "C" fn(*const Host, *const c_char, ...) -> c_int,
    problem: unsafe extern "C" fn(*const Host, *const c_char, *const c_char, ...) -> c_int,
    note: unsafe extern "C" fn(*const Host, *const c_char, ...),
    time_left: unsafe extern "C" fn(*const Host) -> u64,
    instance: unsafe extern "C" fn(*const Host) -> *const c_char,
    get: unsafe extern "C" fn(*const Host, *const c_void, *const c_char, *mut Value) -> c_int,
}

#[repr(C)]
struct FilterArgs {
    size: u32,
    reserved: u32,
    host: *const Host,
    report: *const c_void,
    action: i32,
    reason: [u8; 244],
}

#[repr(C)]
struct FilterOps {
    size: u32,
    flags: u32,
    check: Option<unsafe extern "C" fn(*const Host, *const Config) -> c_int>,
    create: Option<unsafe extern "C" fn(*const Host, *const Config, *mut *const Config) -> c_int>,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    decide: unsafe extern "C" fn(*const Config, *mut FilterArgs) -> c_int,
}

#[repr(C)]
pub struct Plugin {
    magic: u32,
    size: u32,
    abi_major: u16,
    abi_minor: u16,
    kind: u32,
    capabilities: u64,
    name: *const c_char,
    version: *const c_char,
    summary: *const c_char,
    options: *const Choice,
    option_size: u32,
    config_size: u32,
    ops: *const FilterOps,
}

// Constants that hold pointers: nobody ever writes to them.
unsafe impl Sync for Choice {}
unsafe impl Sync for FilterOps {}
unsafe impl Sync for Plugin {}

// ---- The filter

#[repr(C)]
struct Config {
    begins_with: List,
}

impl Config {
    fn prefixes(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.begins_with.count)
            .map(|i| unsafe { CStr::from_ptr(*self.begins_with.items.add(i)) }.to_bytes())
    }
}

static OPTIONS: [Choice; 2] = [
    Choice {
        name: c"begins_with".as_ptr(),
        kind: OPTION_STRING,
        flags: OPTION_REQUIRED | OPTION_LIST,
        offset: offset_of!(Config, begins_with) as u32,
        reserved: 0,
        default_text: null(),
        min: 0,
        max: 0,
        choices: null(),
        capture: null(),
        help: c"How versions begin that are worth a report.".as_ptr(),
    },
    Choice {
        name: null(),
        kind: 0,
        flags: 0,
        offset: 0,
        reserved: 0,
        default_text: null(),
        min: 0,
        max: 0,
        choices: null(),
        capture: null(),
        help: null(),
    },
];

unsafe extern "C" fn check(host: *const Host, config: *const Config) -> c_int {
    if (*config).begins_with.count > 0 {
        return OK;
    }
    let sentence = c"an empty list would drop every report".as_ptr();
    ((*host).problem)(host, c"begins_with".as_ptr(), sentence)
}

unsafe extern "C" fn create(_: *const Host, config: *const Config, ret_context: *mut *const Config) -> c_int {
    *ret_context = config; // the options are all the state there is
    OK
}

fn put(target: &mut [u8], text: &str) {
    let bytes = text.len().min(target.len() - 1);
    target[..bytes].copy_from_slice(&text.as_bytes()[..bytes]);
    target[bytes] = 0;
}

unsafe extern "C" fn decide(config: *const Config, args: *mut FilterArgs) -> c_int {
    let args = &mut *args;
    let mut value: Value = std::mem::zeroed();
    let path = c"application.version".as_ptr();

    // Not every report has a version. What cannot be judged is kept.
    if ((*args.host).get)(args.host, args.report, path, &mut value) == 0 || value.kind != VALUE_STRING {
        return UNSUPPORTED;
    }
    let version = CStr::from_ptr(value.string);
    if !(*config).prefixes().any(|prefix| version.to_bytes().starts_with(prefix)) {
        args.action = DROP;
        put(&mut args.reason, &format!("version {} is not wanted", version.to_string_lossy()));
    }
    OK
}

static OPS: FilterOps = FilterOps {
    size: size_of::<FilterOps>() as u32,
    flags: 0, // decides as soon as signal, process and application are known
    check: Some(check),
    create: Some(create),
    destroy: None,
    decide,
};

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static cairn_plugin_entry: Plugin = Plugin {
    magic: MAGIC,
    size: size_of::<Plugin>() as u32,
    abi_major: 1,
    abi_minor: 0,
    kind: KIND_FILTER,
    capabilities: 0,
    name: c"version".as_ptr(),
    version: c"1.0".as_ptr(),
    summary: c"Keep only reports of certain versions.".as_ptr(),
    options: OPTIONS.as_ptr(),
    option_size: size_of::<Choice>() as u32,
    config_size: size_of::<Config>() as u32,
    ops: &OPS,
};
