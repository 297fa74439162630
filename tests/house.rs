//! Project rules that the compiler cannot check, such as which part may use which. Each rule is first run on a planted
//! violation, so that a rule that matches nothing fails.

#[path = "house/imports.rs"]
mod imports;
#[path = "house/names.rs"]
mod names;
#[path = "house/platforms.rs"]
mod platforms;
#[path = "house/source.rs"]
mod source;

use std::{fs, path::Path};

/// Returns all source lines except tests, as (file, line number, text).
fn sources() -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    read(Path::new("src"), &mut found);
    assert!(found.len() > 5_000, "too few source lines found");
    found
}

fn read(folder: &Path, found: &mut Vec<(String, usize, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let name = path.to_string_lossy().replace('\\', "/");
            if name.ends_with("/tests.rs") || name.contains("/tests/") || name.contains("/samples/") {
                continue;
            }
            let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let before_tests = before_tests.split("\n#[cfg(all(test").next().unwrap_or_default();
            let code = before_tests.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            found.extend(code.map(|(at, line)| (name.clone(), at + 1, line.to_owned())));
        }
    }
}

/// Returns the lines that contain one of the words in files outside the allowed paths.
fn offenders(lines: &[(String, usize, String)], words: &[&str], allowed: &[&str]) -> Vec<String> {
    let stands_elsewhere = |file: &str| !allowed.iter().any(|place| file.starts_with(place));
    lines
        .iter()
        .filter(|(file, _, line)| stands_elsewhere(file) && words.iter().any(|word| line.contains(word)))
        .map(|(file, at, line)| format!("{file}:{at}: {}", line.trim()))
        .collect()
}

#[track_caller]
fn hold(rule: &str, words: &[&str], allowed: &[&str]) {
    let planted = vec![("src/elsewhere.rs".to_owned(), 1, format!("    {}", words[0]))];
    assert_eq!(offenders(&planted, words, allowed).len(), 1, "the rule misses a planted violation: {rule}");
    let found = offenders(&sources(), words, allowed);
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

#[test]
fn only_web_uses_the_http_server_crates() {
    let words = ["axum::", "askama::", "tower::", "tower_http::", "StatusCode::"];
    hold(
        "only src/web may use axum, askama and tower",
        &words,
        &["src/web/", "src/practice/", "src/platforms/shopify/client"],
    );
}

#[test]
fn queries_are_only_in_sql_modules() {
    let words = ["sqlx::query"];
    let places = [
        "src/database/",
        "src/accounts/sql/",
        "src/audit/sql",
        "src/vault/sql.rs",
        "src/carts/sql/",
        "src/alerts/sql/",
        "src/api_keys/sql/",
    ];
    hold("queries belong in the sql modules of their domain", &words, &places);
}

#[test]
fn only_our_pool_connects_to_postgres() {
    let words = ["PgPool", "PgConnection", "PoolConnection", "PgListener", "sqlx::Connection", "sqlx::Pool", "\"begin"];
    hold("use database::Pool and database::Connection, which have deadlines", &words, &["src/database/"]);
}

#[test]
fn handlers_use_no_transaction_and_no_cipher() {
    let words = ["transaction(", "Vault", "aes_gcm"];
    let (planted, places) = (vec![("src/web/x.rs".to_owned(), 1, "let x = transaction(".to_owned())], [""; 0]);
    assert_eq!(offenders(&planted, &words, &places).len(), 1);
    let web: Vec<_> = sources().into_iter().filter(|(file, ..)| file.starts_with("src/web/")).collect();
    assert_eq!(offenders(&web, &words, &places), [""; 0]);
}

#[test]
fn only_accounts_prove_that_a_password_was_entered() {
    hold("Fresh::proved is called where passwords are compared", &["Fresh::proved"], &["src/accounts/"]);
}

#[test]
fn only_the_caller_of_the_api_proves_its_scope() {
    hold(
        "WriteScope::granted is called where a scope is checked",
        &["WriteScope::granted"],
        &["src/web/api/caller.rs"],
    );
}

#[test]
fn only_the_vault_names_the_cipher() {
    hold("aes_gcm stands in src/vault alone", &["aes_gcm"], &["src/vault/"]);
}

#[test]
fn only_clients_make_outgoing_calls() {
    let places = ["src/platforms/shopify/client", "src/alerts/webhook.rs"];
    hold("only these modules may use reqwest's client", &["reqwest::Client"], &places);
    hold("only these modules may use lettre", &["lettre::"], &["src/alerts/mail", "src/alerts/recipients.rs"]);
}

#[test]
fn only_config_reads_the_environment() {
    hold("only src/config may read the environment", &["env::var", "env!(\"CARGO_BIN"], &["src/config/"]);
}

#[test]
fn only_cli_prints() {
    hold("only src/cli may print", &["println!", "eprintln!", "dbg!("], &["src/cli/"]);
}

#[test]
fn domain_does_not_depend_on_upper_layers() {
    hold("only src/cli may use crate::web", &["crate::web"], &["src/web/", "src/cli/"]);
    hold(
        "only web, cli and the worker may use crate::app",
        &["crate::app", "app::App"],
        &["src/web/", "src/cli/", "src/worker", "src/app.rs"],
    );
    let places = [
        "src/cli/",
        "src/app.rs",
        "src/config/",
        "src/web/admin/ecommerce/shopify/editor/view/practice_panel.rs",
        "src/practice/",
    ];
    hold("only the practice store's start and panel may use it", &["crate::practice"], &places);
}

#[test]
fn frame_does_not_depend_on_pages() {
    let words = ["askama", "web::admin", "web::routes"];
    let planted = vec![("src/web/frame/x.rs".to_owned(), 1, "use crate::web::admin::error::Error;".to_owned())];
    assert_eq!(offenders(&planted, &words, &[]).len(), 1);
    let frame: Vec<_> = sources().into_iter().filter(|(file, ..)| file.starts_with("src/web/frame/")).collect();
    assert!(frame.len() > 500, "too few lines of src/web/frame found");
    assert_eq!(offenders(&frame, &words, &[]), [""; 0]);
}

#[test]
fn only_the_url_module_writes_paths_of_pages() {
    let paths = ["/admin", "/sign-in", "/set-up", "/help"];
    // At the beginning of a literal, or after the origin.
    let words: Vec<String> = paths.iter().flat_map(|path| [format!("\"{path}"), format!("}}{path}")]).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let planted = ["Redirect::to(\"/admin/users\")", "format!(\"{}/admin/users\", site.origin)"];
    let planted: Vec<_> = planted.into_iter().map(|line| ("src/x.rs".to_owned(), 1, line.to_owned())).collect();
    assert_eq!(offenders(&planted, &words, &[]).len(), 2);
    // A store has paths of these names too.
    let places = ["src/urls.rs", "src/platforms/", "src/practice/"];
    assert_eq!(offenders(&sources(), &words, &places), [""; 0]);
    let mut templates = Vec::new();
    walk(Path::new("templates"), &mut |name, text| {
        templates.extend(text.lines().enumerate().map(|(at, line)| (name.to_owned(), at + 1, line.to_owned())));
    });
    assert!(templates.len() > 300, "too few lines of templates found");
    assert_eq!(offenders(&templates, &words, &[]), [""; 0]);
}

#[test]
fn alerts_do_not_depend_on_carts() {
    let alerts: Vec<_> = sources().into_iter().filter(|(file, ..)| file.starts_with("src/alerts/")).collect();
    assert!(alerts.len() > 500, "too few lines of src/alerts found");
    assert_eq!(offenders(&alerts, &["crate::carts"], &[]), [""; 0]);
}

#[test]
fn causes_do_not_depend_on_what_uses_them() {
    let causes: Vec<_> = sources().into_iter().filter(|(file, ..)| file.starts_with("src/causes/")).collect();
    assert!(causes.len() > 500, "too few lines of src/causes found");
    let upper = ["crate::carts", "crate::platforms", "crate::alerts", "crate::web", "sqlx", "reqwest", "askama"];
    assert_eq!(offenders(&causes, &upper, &[]), [""; 0]);
}

#[test]
fn oldest_postgres_version_is_consistent() {
    let named = |file: &str, before: &str| {
        let text = fs::read_to_string(file).expect(file);
        let (_, after) = text.split_once(before).unwrap_or_else(|| panic!("{file} says {before}"));
        after.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    let oldest = named("scripts/needs.sh", "\nOLDEST_POSTGRES=");
    assert_eq!(named("src/database/start.rs", "const OLDEST_VERSION: i32 = "), format!("{oldest}0"), "before _000");
    assert_eq!(named("docs/operating.md", "must be Postgres "), oldest);
}

#[test]
fn templates_have_no_inline_script_or_style() {
    let mut found = Vec::new();
    walk(Path::new("templates"), &mut |name, text| {
        let lower = text.to_lowercase();
        for trick in [" style=", " onclick=", " onload=", " onsubmit=", "javascript:", "<style"] {
            if lower.contains(trick) {
                found.push(format!("{name}: {trick}"));
            }
        }
        if text.contains("<script") && !text.contains("<script src=") {
            found.push(format!("{name}: an inline script"));
        }
    });
    assert_eq!(found, [""; 0]);
}

/// Whether a word is 44 characters of base64 that decode to exactly 32 bytes. A key printed in a document would be
/// copied and thus publicly known.
fn looks_like_a_key(word: &str) -> bool {
    let is_base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
    word.len() == 44 && word.ends_with('=') && word.as_bytes()[..43].iter().all(|c| is_base64(*c))
}

#[test]
fn documents_contain_no_usable_key() {
    let planted = format!("{}=", "Ab1".repeat(15)[..43].to_owned());
    assert!(looks_like_a_key(&planted), "the rule misses a planted violation");
    let mut found = Vec::new();
    let mut look = |name: &str, text: &str| {
        let words = text.split(|c: char| c.is_whitespace() || "\"'`<>()".contains(c));
        found.extend(words.filter(|word| looks_like_a_key(word)).map(|word| format!("{name}: {word}")));
    };
    for folder in ["docs", "scripts", "src", "templates"] {
        walk(Path::new(folder), &mut look);
    }
    for file in ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "compose.yaml", "Dockerfile"] {
        look(file, &fs::read_to_string(file).expect("a document"));
    }
    assert_eq!(found, [""; 0]);
}

/// The modules whose handlers draw pages: `users::deactivation::new` is of `deactivation`.
fn page_nouns(table: &str) -> std::collections::BTreeSet<String> {
    let routes = table.lines().filter_map(|line| line.trim_start().strip_prefix("get("));
    let handlers = routes.filter_map(|route| route.split(", ").nth(2)?.split(')').next());
    let nouns = handlers.filter_map(|handler| Some(handler.rsplit("::").nth(1)?.to_owned()));
    nouns.filter(|noun| noun.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}

#[test]
fn every_page_has_a_test_file_of_its_noun() {
    let planted = "get(\"/x/{user}/y\", Viewer, x::y::new),\n  post(\"/z\", Open, z::create).on(\"/x\"),";
    assert_eq!(page_nouns(planted), ["y".to_owned()].into());
    let nouns = page_nouns(&fs::read_to_string("src/web/routes.rs").expect("the table of routes"));
    assert!(nouns.len() > 15, "{nouns:?}");
    let is_tested = |noun: &String| {
        ["tests/web/{}.rs", "tests/web/{}/mod.rs"].iter().any(|file| Path::new(&file.replace("{}", noun)).exists())
    };
    let untested: Vec<_> = nouns.iter().filter(|noun| !is_tested(noun)).collect();
    assert!(untested.is_empty(), "no file in tests/web has the name of these pages: {untested:?}");
}

#[test]
fn source_files_stay_below_the_line_limit() {
    let mut lengths = std::collections::BTreeMap::new();
    for (file, at, _) in sources() {
        lengths.insert(file, at);
    }
    // A table may be as long as the list that it holds.
    let tables = ["src/practice/canned.rs"];
    let long: Vec<_> =
        lengths.iter().filter(|(file, lines)| **lines > 400 && !tables.contains(&file.as_str())).collect();
    assert!(long.is_empty(), "split these files: {long:?}");
}

fn walk(folder: &Path, each: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, each);
        } else if path.extension().is_none_or(|kind| kind != "png") {
            each(&path.to_string_lossy(), &fs::read_to_string(&path).expect("text"));
        }
    }
}

/// Collects the full paths of the tests in a file: modules and name, joined by `::`. Modules are recognized by their
/// rustfmt indentation.
fn tests_of(text: &str, module: &[String], found: &mut Vec<String>) {
    let (mut inside, mut is_test): (Vec<(usize, String)>, bool) = (Vec::new(), false);
    let word =
        |rest: &str| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default().to_owned();
    for line in text.lines() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if code.starts_with('}') && inside.last().is_some_and(|(at, _)| *at == indent) {
            inside.pop();
        }
        let item = code.strip_prefix("pub ").unwrap_or(code);
        if let Some(name) = item.strip_prefix("mod ").filter(|_| code.ends_with('{')) {
            inside.push((indent, word(name)));
        }
        is_test |= ["#[test", "#[tokio::test", "#[sqlx::test"].iter().any(|attribute| code.starts_with(attribute));
        if let Some(name) = item.strip_prefix("async fn ").or_else(|| item.strip_prefix("fn "))
            && std::mem::take(&mut is_test)
        {
            let modules = module.iter().chain(inside.iter().map(|(_, name)| name));
            found.push(modules.cloned().chain([word(name)]).collect::<Vec<_>>().join("::"));
        }
    }
}

/// Collects the full paths of the tests below a folder whose root is `root`.
fn tests_below(folder: &Path, root: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests_below(&path, root, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let place = path.with_extension("");
            let parts = place.strip_prefix(root).expect("below the root").iter().map(|part| part.to_string_lossy());
            let mut module: Vec<String> = parts.map(std::borrow::Cow::into_owned).collect();
            module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
            tests_of(&fs::read_to_string(&path).expect("a source"), &module, found);
        }
    }
}

/// Returns the tests that each letter of a documented command can run: `T` the library, `W` the pages, `F` the faults,
/// `C` the commands, `B` the browser.
fn known_tests() -> std::collections::HashMap<&'static str, Vec<String>> {
    let below = |folder: &str| {
        let mut found = Vec::new();
        tests_below(Path::new(folder), Path::new(folder), &mut found);
        found
    };
    let mut commands = below("tests/cli_parts");
    tests_of(&fs::read_to_string("tests/cli.rs").expect("the commands' tests"), &[], &mut commands);
    let browser = fs::read_dir("tests/browser").expect("a folder").flatten();
    let browser = browser.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".test.js")?.to_owned()));
    [
        ("T", below("src")),
        ("W", below("tests/web")),
        ("F", below("tests/faults")),
        ("C", commands),
        ("B", browser.collect()),
    ]
    .into()
}

/// Returns the commands in a document that match no test. `W canary::` is a module that has tests; `W canary::a_name`
/// or `W a_name` is a test by its whole name. Part of a name proves nothing: cargo runs every test that contains it,
/// and passes if none does.
fn empty_promises(document: &str) -> Vec<String> {
    let known = known_tests();
    let spans = document.split('`').skip(1).step_by(2).filter_map(|span| span.split_once(' '));
    let commands = spans.filter(|(kind, name)| known.contains_key(kind) && !name.contains(' '));
    let is_there = |kind: &str, name: &str| {
        let (is_module, name) = (name.ends_with("::"), format!("::{name}"));
        let mut tests = known[kind].iter().map(|test| format!("::{test}"));
        tests.any(|test| if is_module { test.contains(&name) } else { test.ends_with(&name) })
    };
    commands.filter(|(kind, name)| !is_there(kind, name)).map(|(kind, name)| format!("{kind} {name}")).collect()
}

#[test]
fn documented_test_commands_match_tests() {
    let planted = "`W canary`, `W canar::`, `F no_such_test`, `T vault::no_such_test`, `B observ`, `W a_secret_reaches`, \
        `W canary::`, `T vault::`, `W canary::canary_is_found_in_every_encoding`, `F graceful_stop_answers_requests_in_flight`, `B observatory`, `C help_shows_no_secret_from_the_environment`";
    let caught = ["W canary", "W canar::", "F no_such_test", "T vault::no_such_test", "B observ", "W a_secret_reaches"];
    assert_eq!(empty_promises(planted), caught);
    for document in ["SECURITY.md", "docs/faults.md", "docs/mutants.md"] {
        let text = fs::read_to_string(document).expect("a document");
        assert!(text.contains("`F "), "{document} mentions no test");
        assert_eq!(empty_promises(&text), [""; 0], "{document}");
    }
}

/// The example unit passes systemd's own checks: valid, and an exposure of at most 2.0 of 10.
#[test]
fn the_systemd_unit_is_valid_and_closed() {
    use std::{io::Write, process::Command};
    let unit = fs::read_to_string("docs/examples/cartwright.service").expect("the example");
    assert!(unit.contains("IPAddressDeny=10.0.0.0/8"), "private networks must be denied");
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        // Not captured; `scripts/test` counts it.
        let skipped = "\nSKIPPED the_systemd_unit_is_valid_and_closed: systemd is not installed";
        writeln!(std::io::stderr(), "{skipped}").expect("standard error");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cartwright.service");
    let here = unit.replace("/usr/local/bin/cartwright serve", "/bin/true");
    assert_ne!(here, unit);
    fs::write(&file, here).expect("a file");
    let ask = |arguments: &[&str]| {
        let ran = Command::new("systemd-analyze").args(arguments).arg(&file).output().expect("it is installed");
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (is_valid, said) = ask(&["verify"]);
    // Output about other units of this machine does not count.
    assert!(is_valid && !said.contains("cartwright.service"), "{said}");
    let (is_closed, said) = ask(&["security", "--offline=true", "--threshold=20"]);
    assert!(is_closed, "{said}");
    // Control: a unit without hardening must fail.
    fs::write(&file, "[Service]\nExecStart=/bin/true\n").expect("a file");
    assert!(!ask(&["security", "--offline=true", "--threshold=20"]).0, "a unit without hardening passed");
}
