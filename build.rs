//! Has what the loader relocates at each start written down in short, where the system can read that.
//!
//! The tables of the grammars and all the virtual methods make 27,000 places with an address. In full they take 0.6 MB of
//! the program, and as much memory; in the packed form, which glibc reads since 2.36, a few kilobytes. A linker that does
//! not know the option warns and goes on. What is built on an older system still runs on older systems; so does what is built
//! with `ASIDE_PORTABLE` set, as releases are.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ASIDE_PORTABLE");
    if env::var_os("ASIDE_PORTABLE").is_some_and(|value| !value.is_empty()) {
        return;
    }
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && glibc() >= Some((2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this system's glibc.
fn glibc() -> Option<(u32, u32)> {
    let answer = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    let (major, minor) = answer.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
