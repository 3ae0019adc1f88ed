use crate::allow;
use crate::edges;
use crate::names;
use crate::scan::{self, Function};
use crate::sizes;
use crate::tree::{self, Member, SourceFile};

fn member(name: &str, dependencies: &[&str]) -> Member {
    let dependencies = dependencies.iter().map(|d| (*d).to_owned()).collect();
    Member { name: name.into(), folder: name.into(), dependencies }
}

fn file(path: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

#[test]
fn siblings_never_meet_and_storage_knows_no_query_engine() {
    let members =
        [member("storage", &["model", "datafusion-common"]), member("collector", &["storage"]), member("model", &[])];
    let found: Vec<String> = members.iter().flat_map(|m| edges::edges_of(m, &members)).map(|f| f.message).collect();
    assert_eq!(found, ["storage must not depend on datafusion-common", "collector must not depend on storage"]);
    let unknown = edges::edges_of(&member("logql", &[]), &members);
    assert!(unknown[0].message.contains("logql"), "{unknown:?}");
    let runtime = edges::edges_of(&member("decode", &["tokio"]), &members);
    assert_eq!(runtime.len(), 1);
}

#[test]
fn dependencies_are_read_from_every_table_and_over_many_lines() {
    let manifest = "[workspace.dependencies]\nhidden = \"1\"\n[dependencies]\na.workspace = true # why\n\
        b = { version = \"1\", features = [\n    \"not-a-name\",\n] }\n[lints]\nworkspace = true\n\
        [dev-dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = \"1\"\n";
    assert_eq!(tree::dependencies(manifest), ["a", "b", "c", "d"]);
}

#[test]
fn functions_are_measured_past_strings_comments_and_nested_items() {
    let source = "fn outer<const N: usize>(x: [u8; 3]) -> bool\nwhere\n    (): Sized,\n{\n    let s = \"} fn fake() {\";\n    \
        let c = '{'; let l: &'static str = r#\"\"}\"#; /* } /* } */ */\n    fn inner() { // }\n    }\n    true\n}\n\
        trait T { fn none(&self) -> u8; fn some(&self) {} }\n";
    let function = |name: &str, line, lines| Function { name: name.into(), line, lines };
    assert_eq!(scan::functions(source), [function("inner", 7, 2), function("outer", 1, 10), function("some", 11, 1)]);
}

#[test]
fn long_files_and_functions_are_found_and_tests_may_be_longer() {
    let long = format!("fn long() {{\n{}}}\n", "    let _ = 1;\n".repeat(79));
    let found = sizes::check(&[file("a/src/x.rs", long)]);
    assert_eq!((found.len(), found[0].rule, found[0].place.as_str()), (1, "function", "a/src/x.rs#long"));
    let lines = "// line\n".repeat(501);
    assert_eq!(sizes::check(&[file("a/src/x.rs", lines.clone())])[0].rule, "file");
    assert!(sizes::check(&[file("a/src/x/tests.rs", lines.clone()), file("tests/integration/y.rs", lines)]).is_empty());
}

#[test]
fn names_that_say_nothing_are_found() {
    let rules = |path, text: &str| names::check(&[file(path, text)]).into_iter().map(|f| f.rule).collect::<Vec<_>>();
    assert_eq!(rules("a/src/utils.rs", ""), ["name"]);
    assert_eq!(rules("a/src/common/x.rs", ""), ["name"]);
    assert_eq!(rules("a/src/x/mod.rs", ""), ["name"]);
    assert_eq!(rules("a/src/lib.rs", "//! A crate.\n"), ["owns"]);
    assert!(rules("a/src/lib.rs", "//! A crate.\n//!\n//! Owns: x.\n//! Does not own: y.\n").is_empty());
}

#[test]
fn an_exception_needs_a_reason_and_a_finding() {
    assert!(allow::parse("file a.rs\n").is_err());
    assert!(allow::parse("file a.rs: \n").is_err());
    let list = allow::parse("# note\n\nfile src/x.rs: a table\nname gone.rs: was\n").unwrap();
    let found = sizes::check(&[file("src/x.rs", "\n".repeat(501))]);
    let left = allow::apply(&list, found);
    assert_eq!(left.len(), 1);
    assert!(left[0].message.contains("gone.rs"), "{left:?}");
}
