//! Import rule: no source files import each other in a circle.
//!
//! A module may use what its own ancestors define: they are one unit that was split for reading. The check works on the
//! text: an import is a path that starts with `crate`, `super` or the name of a child module, followed through
//! re-exports to the file that defines the name. It does not see methods that are called on a value.

use std::collections::{BTreeMap, BTreeSet};

use super::source;

type Path = Vec<String>;

struct Module {
    file: String,
    definitions: BTreeSet<String>,
    imports: Vec<Import>,
    text: String,
}

struct Import {
    /// The imported name; `*` for every name of a module.
    name: String,
    path: Path,
    /// A re-export passes a name on without using it.
    is_reexport: bool,
}

/// The names that each module uses from each other module.
type Uses<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, BTreeSet<String>>>;

struct Crate(BTreeMap<Path, Module>);

impl Crate {
    fn parse(files: &[(String, String)]) -> Self {
        let path_of = |file: &str| {
            let mut path: Path = file["src/".len()..].trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            path.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
            path
        };
        let paths: BTreeSet<Path> = files.iter().map(|(file, _)| path_of(file)).collect();
        let module = |(file, text): &(String, String)| {
            let (path, text) = (path_of(file), without_comments(text));
            let imports = imports(&text, &path, &paths);
            (path, Module { file: file.clone(), definitions: definitions(&text), imports, text })
        };
        Self(files.iter().map(module).collect())
    }

    /// Returns the module that a path leads to, ignoring re-exports, and the name that follows it in the path.
    fn owner<'p>(&self, path: &'p [String]) -> Option<(&Path, &Module, Option<&'p String>)> {
        let (owner, module) = (0..=path.len()).rev().find_map(|length| self.0.get_key_value(&path[..length]))?;
        Some((owner, module, path.get(owner.len())))
    }

    /// Returns the module that defines the last name of a path, following up to `depth` re-exports.
    fn definer(&self, path: &[String], depth: u8) -> Option<&Path> {
        let (owner, module, name) = self.owner(path)?;
        let Some(name) = name else { return Some(owner) };
        if module.definitions.contains(name) {
            return Some(owner);
        }
        let mut candidates =
            module.imports.iter().filter(|import| depth > 0 && (import.name == *name || import.name == "*"));
        candidates.find_map(|import| {
            let rest = (import.name == "*").then(|| name.clone());
            let target: Path = import.path.iter().cloned().chain(rest).collect();
            self.definer(&target, depth - 1)
        })
    }

    /// Returns the full paths of what a module uses through one import. For an imported module, these are the names
    /// that follow `module::` in the text.
    fn paths_used(&self, module: &Module, import: &Import) -> Vec<Path> {
        if !self.0.contains_key(&import.path) {
            return vec![import.path.clone()];
        }
        let prefix = format!("{}::", import.name);
        let places = module.text.match_indices(&prefix);
        places
            .filter(|(at, _)| !module.text[..*at].ends_with(|c| is_word(c) || c == ':'))
            .filter(|(at, _)| {
                let statement = module.text[..*at].rsplit(';').next().unwrap_or_default().trim_start();
                !(statement.starts_with("pub") && statement.contains("use "))
            })
            .map(|(at, _)| module.text[at + prefix.len()..].split(|c| !is_word(c)).next().unwrap_or_default())
            .filter(|name| !name.is_empty())
            .map(|name| [import.path.as_slice(), &[name.to_owned()]].concat())
            .collect()
    }

    fn uses(&self) -> Uses<'_> {
        let of_module = |(path, module)| {
            let (path, module): (&Path, &Module) = (path, module);
            let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
            let imports = module.imports.iter().filter(|import| !import.is_reexport && import.name != "*");
            for used in imports.flat_map(|import| self.paths_used(module, import)) {
                let target = self.definer(&used, 8).or_else(|| Some(self.owner(&used)?.0));
                if let Some(target) = target.filter(|target| !path.starts_with(target)) {
                    found.entry(target).or_default().insert(used.last().cloned().unwrap_or_default());
                }
            }
            (path, found)
        };
        self.0.iter().map(of_module).collect()
    }

    /// Returns the imports between files that reach each other, one line each.
    fn circular_imports(&self) -> Vec<String> {
        let uses = self.uses();
        let reached: BTreeMap<_, _> = uses.keys().map(|path| (*path, reach(&uses, path))).collect();
        let mut found = Vec::new();
        for (path, targets) in &uses {
            for (target, names) in targets.iter().filter(|(target, _)| reached[*target].contains(*path)) {
                found.push(format!("{} -> {}: {names:?}", self.0[*path].file, self.0[*target].file));
            }
        }
        found
    }
}

/// Returns the modules that a module uses directly or through others.
fn reach<'a>(uses: &Uses<'a>, from: &'a Path) -> BTreeSet<&'a Path> {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(at) = todo.pop() {
        todo.extend(uses[at].keys().copied().filter(|next| seen.insert(*next)));
    }
    seen
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Returns the names that follow an item's keyword in a line that is not indented.
fn definitions(text: &str) -> BTreeSet<String> {
    let keywords = ["struct", "enum", "trait", "type", "union", "fn", "const", "static", "macro_rules!"];
    let name_of = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pair = words.windows(2).find(|pair| keywords.contains(&pair[0]) && !keywords.contains(&pair[1]))?;
        Some(pair[1].split(|c| !is_word(c)).next()?.to_owned())
    };
    text.lines().filter(|line| !line.starts_with(char::is_whitespace)).filter_map(name_of).collect()
}

/// Returns what a module imports: its child modules, its `use` items, and paths in its code.
fn imports(text: &str, at: &Path, modules: &BTreeSet<Path>) -> Vec<Import> {
    let children = modules.iter().filter(|path| path.len() == at.len() + 1 && path.starts_with(at));
    let child = |path: &Path| Import { name: path[at.len()].clone(), path: path.clone(), is_reexport: false };
    let mut found: Vec<Import> = children.map(child).collect();
    let mut rest = text;
    while let Some(start) = rest.find("use ") {
        let (before, after) = (&rest[..start], &rest[start + "use ".len()..]);
        let end = after.find(';').unwrap_or(after.len());
        let is_reexport = before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with("pub"));
        if !before.ends_with(is_word) {
            expand(&after[..end], &mut Vec::new(), &mut |name, path| {
                found.extend(absolute(&path, at, modules).map(|path| Import { name, path, is_reexport }));
            });
        }
        rest = &after[end..];
    }
    for (start, _) in ["crate::", "super::"].iter().flat_map(|root| text.match_indices(root)) {
        let is_visibility = text[..start].ends_with("in ");
        if is_visibility || text[..start].ends_with(|c| is_word(c) || c == ':') {
            continue;
        }
        let path = text[start..].split(|c| !is_word(c) && c != ':').next().unwrap_or_default();
        let path: Path = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let is_root = path.iter().all(|part| part == "crate" || part == "super");
        let path = absolute(&path, at, modules).filter(|_| !is_root);
        found.extend(path.map(|path| Import { name: String::new(), path, is_reexport: false }));
    }
    found
}

/// Calls `each` with the names and paths of a `use` tree: `a::{b, c as d}` imports `a::b` as `b` and `a::c` as `d`.
fn expand(tree: &str, prefix: &mut Path, each: &mut impl FnMut(String, Path)) {
    let mut depth = 0_i32;
    let parts = tree.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let names =
        |path: &str| path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let length = prefix.len();
        if let Some((head, inside)) = part.split_once('{') {
            prefix.extend::<Path>(names(head));
            expand(inside.trim_end().trim_end_matches('}'), prefix, each);
        } else {
            let (path, alias) =
                part.split_once(" as ").map_or((part, None), |(path, alias)| (path, Some(alias.trim())));
            prefix.extend::<Path>(names(path));
            prefix.pop_if(|last| last == "self");
            let name = alias.map_or_else(|| prefix.last().cloned().unwrap_or_default(), str::to_owned);
            let mut path = prefix.clone();
            path.pop_if(|_| name == "*");
            each(name, path);
        }
        prefix.truncate(length);
    }
}

/// Resolves a path in the module `at` from the root of the crate; `None` for a path into another crate.
fn absolute(path: &[String], at: &Path, modules: &BTreeSet<Path>) -> Option<Path> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([&at[..at.len().checked_sub(ups)?], &path[ups..]].concat()),
        first => {
            let child = [at.as_slice(), &[first.to_owned()]].concat();
            modules.contains(&child).then(|| [at.as_slice(), path].concat())
        }
    }
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    Crate::parse(&files).circular_imports()
}

#[test]
fn circle_is_found_through_aliases_and_re_exports() {
    let found = planted(&[
        ("src/lib.rs", "pub mod a;\npub mod b;"),
        ("src/a.rs", "use crate::b::Other as Same;\npub struct Thing;"),
        ("src/b.rs", "mod c;\npub use c::Other;\npub struct Parent;"),
        ("src/b/c.rs", "use super::super::a::Thing; // use crate::d::X;\nuse super::Parent;\npub enum Other {}"),
        ("src/d.rs", "fn f() { crate::a::Thing; }"),
    ]);
    assert_eq!(found, [r#"src/a.rs -> src/b/c.rs: {"Other"}"#, r#"src/b/c.rs -> src/a.rs: {"Thing"}"#]);
}

#[test]
fn circle_is_found_in_paths_of_the_code() {
    let found = planted(&[
        ("src/a/mod.rs", "pub mod one;\npub mod two;"),
        ("src/a/one.rs", "use super::two;\npub fn f() {\n    two::g();\n}"),
        ("src/a/two.rs", "pub fn g() {\n    super::one::f();\n}"),
    ]);
    assert_eq!(found, [r#"src/a/one.rs -> src/a/two.rs: {"g"}"#, r#"src/a/two.rs -> src/a/one.rs: {"f"}"#]);
}

#[test]
fn descendants_may_use_their_ancestors() {
    let found = planted(&[
        ("src/a/mod.rs", "pub mod b;\npub struct Top;\nfn f() {\n    b::c::g();\n}"),
        ("src/a/b.rs", "pub mod c;\npub(in super::super) struct Middle;"),
        ("src/a/b/c.rs", "use super::Middle;\nuse crate::a::{self, Top};\npub fn g() {}"),
        ("src/e.rs", "use crate::a::Top;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn no_source_files_import_each_other_in_a_circle() {
    let found = Crate::parse(&source::files()).circular_imports();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
