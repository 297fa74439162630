//! `scripts/test supply --release` refuses a release if known vulnerabilities were not checked, or only against a list
//! that is too old. A stand-in for cargo-deny finds none.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use cartwright::clock::Clock;

use crate::support::process::{Ran, run};

/// A clone of the advisory list whose newest commit is this many days old.
fn advisories(folder: &Path, days: u64) -> String {
    let clone = folder.join(format!("advisories-{days}"));
    let at = Clock::System.now() - Duration::from_secs(days * 86_400 + 60);
    let date = format!("@{} +0000", at.unix_timestamp());
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Sam Lee", "-c", "user.email=sam@northwind.example"]).args(arguments);
        git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let ran = git.current_dir(&clone).output().expect("git");
        assert!(ran.status.success(), "{ran:?}");
    };
    fs::create_dir(&clone).expect("a folder");
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "Add advisories"]);
    clone.display().to_string()
}

/// `scripts/test supply …` with a stand-in for cargo-deny.
fn supply(folder: &Path, more: &[&str], advisories: Option<&str>) -> Ran {
    let deny = folder.join("cargo-deny");
    fs::write(&deny, "#!/bin/sh\ncase \"$*\" in *--version*) echo cargo-deny 0.20.2 ;; esac\n").expect("a script");
    fs::set_permissions(&deny, fs::Permissions::from_mode(0o755)).expect("ours");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/test"), "supply"]).args(more);
    command.env("PATH", format!("{}:{path}", folder.display())).env_remove("CARTWRIGHT_ADVISORY_DB");
    // The folder that cargo searches first.
    command.env("CARGO_HOME", folder).env("TMPDIR", folder).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(advisories) = advisories {
        command.env("CARTWRIGHT_ADVISORY_DB", advisories);
    }
    run(command)
}

#[test]
fn release_without_a_look_at_known_holes_or_with_an_old_list_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (folder, release) = (folder.path(), &["--release"][..]);
    let (new, old) = (advisories(folder, 29), advisories(folder, 31));
    let without = supply(folder, release, None);
    assert_eq!(without.code, Some(1), "{without:?}");
    assert!(without.stderr.contains("CARTWRIGHT_ADVISORY_DB"), "{without:?}");
    let with_old = supply(folder, release, Some(&old));
    assert_eq!(with_old.code, Some(1), "{with_old:?}");
    assert!(with_old.stderr.contains("31 days old") && with_old.stderr.contains("at most 30 days"), "{with_old:?}");
    let with_new = supply(folder, release, Some(&new));
    assert_eq!(with_new.code, Some(0), "{with_new:?}");
    assert!(with_new.stderr.contains("29 days old"), "{with_new:?}");
    let nowhere = supply(folder, release, Some("/nowhere"));
    assert_ne!(nowhere.code, Some(0), "{nowhere:?}");
}

#[test]
fn everyday_run_ends_with_what_it_did_not_look_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let (folder, everyday) = (folder.path(), &[][..]);
    let last = |ran: &Ran| {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        lines[lines.len() - 2..].to_vec()
    };
    let [counts, skipped] = &last(&supply(folder, everyday, None))[..] else { panic!("two lines") };
    assert_eq!(counts, "0 passed, 0 failed, 1 skipped");
    assert!(skipped.starts_with("SKIPPED known holes in dependencies"), "{skipped}");
    let old = advisories(folder, 31);
    let [_, skipped] = &last(&supply(folder, everyday, Some(&old)))[..] else { panic!("two lines") };
    assert!(skipped.starts_with("SKIPPED known holes that were published in the last 31 days"), "{skipped}");
    let new = advisories(folder, 29);
    let looked = supply(folder, everyday, Some(&new));
    assert!(looked.code == Some(0) && !looked.stdout.contains("SKIPPED"), "{looked:?}");
}
