use proptest::prelude::*;

use super::*;
use crate::workspace::language::by_id;

/// The link at `$0`, with `NEW` in its alternative text, or what there is to say instead.
fn at(language: &str, path: &str, fixture: &str) -> String {
    let offset = fixture.find("$0").unwrap();
    let text = fixture.replace("$0", "");
    let Some(link) = link_at(by_id(language), path, &Rope::from_str(&text), &(offset..offset)) else {
        return "none".to_owned();
    };
    let described = link.described(&text, "NEW").unwrap_or_else(|| "no text".to_owned());
    format!("{} {described}", link.target)
}

#[test]
fn links_are_found_and_get_their_text() {
    for (language, path, fixture, expected) in [
        ("markdown", "a.md", "See ![$0old](img/a.png).", "img/a.png ![NEW](img/a.png)"),
        ("markdown", "a.md", "$0See ![](img/a.png \"Title (1)\") there", "img/a.png ![NEW](img/a.png \"Title (1)\")"),
        ("markdown", "a.md", "![a [b] \\] c](<my pic.png>)$0", "my pic.png ![NEW](<my pic.png>)"),
        ("markdown", "a.md", "[![$0old](a_(1).png)](https://example.com)", "a_(1).png ![NEW](a_(1).png)"),
        ("markdown", "a.md", "![old$0][Pic  One]\n\n[pic one]: <a b.png> 'x'\n", "a b.png ![NEW][Pic  One]"),
        ("markdown", "a.md", "![old$0][no such]\n", "none"),
        ("markdown", "a.md", "![a](b 'it\\'s') ![$0old](c)", "c ![NEW](c)"),
        ("markdown", "a.md", "![a$0](b 'it\\'s' )", "b ![NEW](b 'it\\'s' )"),
        ("markdown", "a.md", "![$0a](b c)", "none"),
        ("markdown", "a.md", "![a](b ![$0old](c)", "c ![NEW](c)"),
        ("markdown", "a.md", "![a](b![$0old](c))", "c ![NEW](c)"),
        ("markdown", "a.md", "![a](b \"![$0old](c)\")", "c ![NEW](c)"),
        ("json", "a.ipynb", "[\"![$0a](b \\\"c\\\")\"]", "b ![NEW](b \\\"c\\\")"),
        ("json", "a.ipynb", "[\"![$0a](b \"c\")\"]", "none"),
        ("markdown", "a.md", "[b]: c](![old$0][b]\n", "none"),
        ("markdown", "a.md", "[b]: c](![old$0][b]\n[b]: d.png", "d.png ![NEW][b]"),
        ("markdown", "a.md", "![old$0][b]\r\n\r\n[b]: d.png\r\n", "d.png ![NEW][b]"),
        ("markdown", "a.md", "![label$0]\n\n[label]: a.png", "none"),
        ("markdown", "a.md", "\\![old$0](a.png)", "none"),
        ("markdown", "a.md", "[$0a link](a.png)", "none"),
        ("markdown", "a.md", "two ![a](a.png)$0 ![b](b.png)", "a.png ![NEW](a.png)"),
        ("markdown", "a.md", "$0two ![a](a.png) ![b](b.png)", "none"),
        ("markdown", "a.md", "<img src='a.png'$0>", "a.png <img src='a.png' alt=\"NEW\">"),
        (
            "markdown",
            "a.md",
            "![a][b <img alt='x]' src=c.png$0> d\n\n[b <img alt='x]: e",
            "c.png <img alt='NEW' src=c.png>",
        ),
        ("markdown", "a.md", "<img alt='![a](b)$0' src=c.png>", "c.png <img alt='NEW' src=c.png>"),
        (
            "html",
            "a.html",
            "<p><IMG\n  class=x SRC=\"a&amp;b.png\"\n  alt='old'$0 /></p>",
            "a&b.png <IMG\n  class=x SRC=\"a&amp;b.png\"\n  alt='NEW' />",
        ),
        ("html", "a.html", "<img alt=old $0src=a.png>", "a.png <img alt=\"NEW\" src=a.png>"),
        ("html", "a.html", "<img alt $0src=a.png>", "a.png <img alt=\"NEW\" src=a.png>"),
        ("html", "a.html", "<img $0src=\"{{ url }}\">", "none"),
        ("html", "a.html", "<image $0src=a.png>", "none"),
        ("html", "a.html", "<img $0src=a.png", "none"),
        ("html", "a.html", "<img src=\"a.png><img $0src=b.png alt=\"\">", "b.png <img src=b.png alt=\"NEW\">"),
        (
            "typescriptreact",
            "a.tsx",
            "<img src=\"a.png\" alt={t({x: 1})}$0 />",
            "a.png <img src=\"a.png\" alt=\"NEW\" />",
        ),
        ("typescriptreact", "a.tsx", "<img src={logo}$0 />", "none"),
        ("css", "a.css", "a { background: url( 'a b.png' )$0 no-repeat }", "a b.png no text"),
        ("css", "a.css", "a { background: $0url(a.png); }", "a.png no text"),
        ("css", "a.css", "a { fill: url(#b)$0 }", "none"),
        ("json", "a.ipynb", "  \"source\": [\"![ol$0d](a.png)\\n\"]", "a.png ![NEW](a.png)"),
        ("json", "a.json", "  \"source\": [\"![ol$0d](a.png)\\n\"]", "none"),
        ("python", "a.py", "# ![old$0](a.png)", "none"),
    ] {
        assert_eq!(at(language, path, fixture), expected, "{fixture}");
    }
}

#[test]
fn an_alternative_text_cannot_leave_its_place() {
    let nasty = "a](b) \"c\" 'd' <e> &amp; f_g _h_ *i* `j` {k} \\";
    for (language, path, text, expected) in [
        (
            "markdown",
            "a.md",
            "![x](a.png)",
            "![a\\](b) \"c\" 'd' \\<e\\> \\&amp; f_g \\_h\\_ \\*i\\* \\`j\\` \\{k\\} \\\\](a.png)",
        ),
        (
            "html",
            "a.html",
            "<img src=a alt=\"\">",
            "<img src=a alt=\"a](b) &quot;c&quot; 'd' &lt;e&gt; &amp;amp; f_g _h_ *i* `j` &#123;k&#125; \\\">",
        ),
        (
            "html",
            "a.html",
            "<img src=a alt=''>",
            "<img src=a alt='a](b) \"c\" &#39;d&#39; &lt;e&gt; &amp;amp; f_g _h_ *i* `j` &#123;k&#125; \\'>",
        ),
        (
            "json",
            "a.ipynb",
            "[\"![x](a.png)\"]",
            "![a\\\\](b) \\\"c\\\" 'd' \\\\<e\\\\> \\\\&amp; f_g \\\\_h\\\\_ \\\\*i\\\\* \\\\`j\\\\` \\\\{k\\\\} \\\\\\\\](a.png)",
        ),
    ] {
        let link = link_at(by_id(language), path, &Rope::from_str(text), &(4..4)).unwrap();
        assert_eq!(link.described(text, nasty).unwrap(), expected);
    }
}

#[test]
fn brackets_are_escaped_in_markdown_and_that_in_json() {
    for (text, expected) in [
        (r#"["![a \\] b](x.png)"]"#, Some("![NEW](x.png)")),
        (r#"["![a \\\\] b](x.png)"]"#, None),
        (r#"["![a \\\\\\] b](x.png)"]"#, Some("![NEW](x.png)")),
        (r#"["![a \"b\" \\[](x.png)"]"#, Some("![NEW](x.png)")),
    ] {
        let link = link_at(by_id("json"), "a.ipynb", &Rope::from_str(text), &(4..4));
        assert_eq!(link.and_then(|link| link.described(text, "NEW")).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_picture_is_what_its_name_does_not_deny() {
    for (target, expected) in [
        ("a.png", true),
        ("a/b.JPEG?x=1.svg", true),
        ("https://example.com/picture/17", true),
        ("a.SVG", false),
        ("font.woff2#iefix", false),
    ] {
        let link = PictureLink { span: 0..0, target: target.to_owned(), alternative: None };
        assert_eq!(link.may_be_seen(), expected, "{target}");
    }
}

proptest! {
    /// What a Markdown reader makes of the link is the text, and where it leads is the same as before.
    #[test]
    fn markdown_reads_back_what_was_written(alternative in "[ -~é€]{0,40}") {
        let alternative = alternative.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = "before ![old](a.png) after";
        let link = link_at(by_id("markdown"), "a.md", &Rope::from_str(text), &(10..10)).unwrap();
        let described = link.described(text, &alternative).unwrap();
        let whole = text.replace("![old](a.png)", &described);
        let mut seen = String::new();
        let mut target = String::new();
        let mut inside = false;
        for event in pulldown_cmark::Parser::new(&whole) {
            use pulldown_cmark::{Event, Tag, TagEnd};
            match event {
                Event::Start(Tag::Image { dest_url, .. }) => {
                    inside = true;
                    target = dest_url.into_string();
                }
                Event::End(TagEnd::Image) => inside = false,
                Event::Text(text) if inside => seen.push_str(&text),
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) | Event::Text(_) => {}
                other => prop_assert!(false, "{other:?} in {whole}"),
            }
        }
        prop_assert_eq!(seen.trim(), alternative.trim(), "{}", whole);
        prop_assert_eq!(target, "a.png");
    }

    #[test]
    fn a_notebook_stays_json(alternative in "[ -~é€\\\\\"]{0,40}") {
        let text = "{\"source\": [\"![old](a.png)\\n\"]}";
        let link = link_at(by_id("json"), "a.ipynb", &Rope::from_str(text), &(15..15)).unwrap();
        let whole = text.replace("![old](a.png)", &link.described(text, &alternative).unwrap());
        let read: serde_json::Value = serde_json::from_str(&whole).unwrap();
        let markdown = escape::markdown(&alternative);
        prop_assert_eq!(read["source"][0].as_str().unwrap(), format!("![{markdown}](a.png)\n"));
    }

    #[test]
    fn any_text_has_an_answer(parts in prop::collection::vec(prop::sample::select(vec!["![", "](", ")", "]", "[", "<img ", "src=", "alt", "\"", "'", ">", "url(", "{", "}", "\\", "\n", " ", "é", "a.png", "<", "="]), 0..25), language in "markdown|html|css|typescriptreact", cut in any::<(prop::sample::Index, prop::sample::Index)>()) {
        let text = parts.concat();
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (a, b) = (*cut.0.get(&bounds), *cut.1.get(&bounds));
        for path in ["a.md", "a.ipynb"] {
            if let Some(link) = link_at(by_id(&language), path, &Rope::from_str(&text), &(a.min(b)..a.max(b))) {
                link.described(&text, "x");
            }
        }
    }
}
