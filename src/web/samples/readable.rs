//! Formats HTML for diffs: a line for each element that contains others, a line for each run of text. Leaves out what
//! differs between builds and runs: hashes of assets, our version, random secrets.

use scraper::{ElementRef, Node};

/// Elements that belong to a line of text.
const PHRASING: [&str; 15] =
    ["a", "abbr", "b", "bdi", "br", "code", "em", "kbd", "small", "span", "strong", "sub", "sup", "time", "wbr"];
/// Void elements, which have no end tag.
const EMPTY: [&str; 6] = ["br", "hr", "img", "input", "meta", "wbr"];

pub(super) fn readable(elements: &[ElementRef<'_>]) -> String {
    let mut lines = Vec::new();
    for element in elements {
        write(*element, 0, &mut lines);
    }
    settled(&(lines.join("\n") + "\n"))
}

fn write(element: ElementRef<'_>, depth: usize, lines: &mut Vec<String>) {
    let indent = " ".repeat(depth);
    let name = element.value().name();
    if name == "pre" || name == "textarea" {
        // whitespace is significant here
        lines.push(format!("{indent}{}", open(element)));
        lines.extend(element.text().collect::<String>().lines().map(|line| format!("{indent} {}", escaped(line))));
        lines.push(format!("{indent}</{name}>"));
        return;
    }
    if element.descendent_elements().skip(1).all(is_within_text) {
        let words = element.children().filter_map(|child| piece(child.value(), ElementRef::wrap(child)));
        lines.push(format!("{indent}{}", closed(element, &tidy(&words.collect::<String>()))));
        return;
    }
    lines.push(format!("{indent}{}", open(element)));
    let mut run = String::new();
    // the content of a template is a document fragment of its own
    let within = element.children().find(|child| child.value().is_fragment());
    for child in within.map_or_else(|| element.children(), |within| within.children()) {
        let block = ElementRef::wrap(child).filter(|child| !child.descendent_elements().all(is_within_text));
        match block {
            Some(block) => {
                end(&mut run, &indent, lines);
                write(block, depth + 1, lines);
            }
            None => run += &piece(child.value(), ElementRef::wrap(child)).unwrap_or_default(),
        }
    }
    end(&mut run, &indent, lines);
    lines.push(format!("{indent}</{name}>"));
}

/// Ends a run of text between elements.
fn end(run: &mut String, indent: &str, lines: &mut Vec<String>) {
    let words = tidy(run);
    if !words.is_empty() {
        lines.push(format!("{indent} {words}"));
    }
    run.clear();
}

/// A node within a line.
fn piece(node: &Node, element: Option<ElementRef<'_>>) -> Option<String> {
    if let Some(element) = element {
        if is_icon(element) {
            // one macro renders all icons
            return Some(format!("<svg class=\"{}\"/>", element.attr("class").unwrap_or_default()));
        }
        let words = element.children().filter_map(|child| piece(child.value(), ElementRef::wrap(child)));
        return Some(closed(element, &words.collect::<String>()));
    }
    node.as_text().map(|text| escaped(text))
}

fn is_icon(element: ElementRef<'_>) -> bool {
    element.value().name() == "svg" && element.attr("class").is_some_and(|class| class.starts_with("i "))
}

fn is_within_text(element: ElementRef<'_>) -> bool {
    let is_of_an_icon = element.value().name() == "use";
    PHRASING.contains(&element.value().name()) || is_icon(element) || is_of_an_icon
}

fn open(element: ElementRef<'_>) -> String {
    let mut attributes: Vec<_> = element.value().attrs().collect();
    attributes.sort_unstable();
    let attributes = attributes.into_iter().map(|(name, value)| match value {
        "" => format!(" {name}"),
        value => format!(" {name}=\"{}\"", escaped(value).replace('"', "&quot;")),
    });
    format!("<{}{}>", element.value().name(), attributes.collect::<String>())
}

fn closed(element: ElementRef<'_>, words: &str) -> String {
    let name = element.value().name();
    if EMPTY.contains(&name) { open(element) } else { format!("{}{words}</{name}>", open(element)) }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\u{2060}', "&NoBreak;").replace('\u{a0}', "&nbsp;")
}

/// Collapses whitespace, as a browser does.
fn tidy(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Removes what differs in the next build or run.
fn settled(text: &str) -> String {
    let text = text.replace(concat!("Cartwright ", env!("CARGO_PKG_VERSION")), "Cartwright x.y.z");
    let mut pieces = text.split("whsec_");
    let first = pieces.next().unwrap_or_default().to_owned();
    let is_secret = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let text = pieces.fold(first, |text, piece| text + "whsec_…" + piece.trim_start_matches(is_secret));
    let mut pieces = text.split("/static/");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let (name, rest) = piece.split_once('.').expect("an asset has a hash");
        text + "/static/" + name + rest.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    })
}

#[test]
fn readable_keeps_structure_text_and_attributes() {
    let html = scraper::Html::parse_fragment(
        "<main><h1>  Add   <em>a</em> cart</h1><form action='/x'>\n<label for=a>Name</label> or <b>not</b>\
         <input id=a value='1 < 2 &amp; \"3\"' required><br>so<pre>a\n  b</pre></form>\
         <p><svg class='i i-check' aria-hidden=true><use href='/static/icons.0a1b.svg#check'/></svg>Done \u{2060}</p>\
         <svg class=chart><image href='/static/app.0a1b.css'/></svg><template><ul><li>x</ul></template> whsec_abc+/12=.</main>",
    );
    let main = html.select(&scraper::Selector::parse("main").expect("a selector")).next().expect("a main");
    let expected = "<main>\n <h1>Add <em>a</em> cart</h1>\n <form action=\"/x\">\n  <label for=\"a\">Name</label>\n  or <b>not</b>\n  \
        <input id=\"a\" required value=\"1 &lt; 2 &amp; &quot;3&quot;\">\n  <br>so\n  <pre>\n   a\n     b\n  </pre>\n </form>\n \
        <p><svg class=\"i i-check\"/>Done &NoBreak;</p>\n <svg class=\"chart\">\n  <image href=\"/static/app.css\"></image>\n </svg>\n \
        <template>\n  <ul>\n   <li>x</li>\n  </ul>\n </template>\n \
        whsec_….\n</main>\n";
    assert_eq!(readable(&[main]), expected);
}
