//! The grammars, and a table of what their nodes mean.

use super::ItemKind;
use crate::workspace::language::Grammar;

/// What the nodes of one grammar mean.
pub(super) struct Rules {
    /// Nodes that are items.
    pub(super) items: &'static [ItemRule],
    /// Nodes around a single item that belong to it.
    pub(super) wrappers: &'static [&'static str],
    /// Nodes in front of an item that belong to it.
    pub(super) attached: &'static [&'static str],
    /// Nodes that are functions without a name of their own.
    pub(super) lambdas: &'static [&'static str],
    /// Statements that stand for themselves when they hold a block, such as `describe("…", () => { … })`.
    pub(super) statements: &'static [&'static str],
}

/// A node that is an item.
pub(super) struct ItemRule {
    pub(super) node: &'static str,
    pub(super) kind: ItemKind,
    pub(super) name: Name,
}

/// Where an item's name is, and what else makes its node an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// In this field.
    Field(&'static str),
    /// In this field, and only a node with a body counts.
    Defined(&'static str),
    /// In a declarator, as in C.
    Declarator,
    /// In a declarator, and only functions count.
    Prototype,
    /// In the first field; the second holds the value. It is a function if the value is one, else a constant.
    Binding(&'static str, &'static str),
    /// As `Binding`, but only functions count.
    FunctionBinding(&'static str, &'static str),
    /// As `Binding`, but only a name of this kind of node counts.
    ConstantBinding(&'static str, &'static str),
}

const fn rule(node: &'static str, kind: ItemKind, name: Name) -> ItemRule {
    ItemRule { node, kind, name }
}

const fn named(node: &'static str, kind: ItemKind) -> ItemRule {
    rule(node, kind, Name::Field("name"))
}

use ItemKind::{Class, Constant, Enum, Function, Interface, Method, Module, Other, Struct};

static RUST: Rules = Rules {
    items: &[
        named("function_item", Function),
        named("function_signature_item", Function),
        named("struct_item", Struct),
        named("union_item", Struct),
        named("enum_item", Enum),
        named("trait_item", Interface),
        rule("impl_item", Class, Name::Field("type")),
        named("mod_item", Module),
        named("const_item", Constant),
        named("static_item", Constant),
        named("type_item", Other),
        named("macro_definition", Other),
    ],
    wrappers: &[],
    attached: &["attribute_item", "line_comment", "block_comment"],
    lambdas: &["closure_expression"],
    statements: &[],
};

static PYTHON: Rules = Rules {
    items: &[
        named("function_definition", Function),
        named("class_definition", Class),
        rule("assignment", Constant, Name::ConstantBinding("left", "identifier")),
        named("type_alias_statement", Other),
    ],
    wrappers: &["decorated_definition", "expression_statement"],
    attached: &["decorator", "comment"],
    lambdas: &[],
    statements: &[],
};

macro_rules! ecmascript {
    ($($more:expr),*) => {
        Rules {
            items: &[
                named("function_declaration", Function),
                named("generator_function_declaration", Function),
                named("class_declaration", Class),
                named("method_definition", Method),
                rule("variable_declarator", Constant, Name::Binding("name", "value")),
                rule("pair", Function, Name::FunctionBinding("key", "value")),
                rule("field_definition", Method, Name::FunctionBinding("property", "value")),
                $($more),*
            ],
            wrappers: &["export_statement", "lexical_declaration", "variable_declaration", "ambient_declaration", "expression_statement"],
            attached: &["decorator", "comment"],
            lambdas: &["arrow_function", "function_expression", "generator_function"],
            statements: &["expression_statement"],
        }
    };
}

static JAVASCRIPT: Rules = ecmascript!();

static TYPESCRIPT: Rules = ecmascript!(
    rule("public_field_definition", Method, Name::FunctionBinding("name", "value")),
    named("abstract_class_declaration", Class),
    named("interface_declaration", Interface),
    named("enum_declaration", Enum),
    named("type_alias_declaration", Other),
    named("function_signature", Function),
    named("method_signature", Method),
    named("abstract_method_signature", Method),
    named("internal_module", Module),
    named("module", Module)
);

static GO: Rules = Rules {
    items: &[
        named("function_declaration", Function),
        named("method_declaration", Method),
        named("type_spec", Struct),
        named("type_alias", Other),
        named("const_spec", Constant),
        named("var_spec", Constant),
    ],
    wrappers: &["type_declaration", "const_declaration", "var_declaration", "var_spec_list"],
    attached: &["comment"],
    lambdas: &["func_literal"],
    statements: &[],
};

static JAVA: Rules = Rules {
    items: &[
        named("class_declaration", Class),
        named("interface_declaration", Interface),
        named("annotation_type_declaration", Interface),
        named("enum_declaration", Enum),
        named("record_declaration", Struct),
        named("method_declaration", Method),
        named("constructor_declaration", Method),
        named("compact_constructor_declaration", Method),
    ],
    wrappers: &[],
    attached: &["line_comment", "block_comment"],
    lambdas: &["lambda_expression"],
    statements: &[],
};

macro_rules! c_family {
    ($($more:expr),*) => {
        Rules {
            items: &[
                rule("function_definition", Function, Name::Declarator),
                rule("declaration", Function, Name::Prototype),
                rule("struct_specifier", Struct, Name::Defined("name")),
                rule("union_specifier", Struct, Name::Defined("name")),
                rule("enum_specifier", Enum, Name::Defined("name")),
                rule("type_definition", Other, Name::Declarator),
                named("preproc_function_def", Other),
                $($more),*
            ],
            wrappers: &["template_declaration", "linkage_specification"],
            attached: &["comment"],
            lambdas: &["lambda_expression"],
            statements: &[],
        }
    };
}

static C: Rules = c_family!();

static CPP: Rules = c_family!(
    rule("class_specifier", Class, Name::Defined("name")),
    rule("field_declaration", Method, Name::Prototype),
    named("namespace_definition", Module),
    named("alias_declaration", Other),
    named("concept_definition", Other)
);

static RUBY: Rules = Rules {
    items: &[
        named("method", Function),
        named("singleton_method", Method),
        named("class", Class),
        named("module", Module),
        rule("singleton_class", Class, Name::Field("value")),
        rule("assignment", Constant, Name::ConstantBinding("left", "constant")),
    ],
    wrappers: &[],
    attached: &["comment"],
    lambdas: &["lambda", "block", "do_block"],
    statements: &["call"],
};

static PHP: Rules = Rules {
    items: &[
        named("function_definition", Function),
        named("method_declaration", Method),
        named("class_declaration", Class),
        named("interface_declaration", Interface),
        named("trait_declaration", Class),
        named("enum_declaration", Enum),
        rule("namespace_definition", Module, Name::Defined("name")),
    ],
    wrappers: &[],
    attached: &["comment", "attribute_list"],
    lambdas: &["anonymous_function", "arrow_function"],
    statements: &["expression_statement"],
};

static LUA: Rules = Rules {
    items: &[
        named("function_declaration", Function),
        rule("assignment_statement", Constant, Name::Binding("", "")),
        rule("field", Function, Name::FunctionBinding("name", "value")),
    ],
    wrappers: &["variable_declaration"],
    attached: &["comment"],
    lambdas: &["function_definition"],
    statements: &["function_call"],
};

static BASH: Rules = Rules {
    items: &[named("function_definition", Function)],
    wrappers: &[],
    attached: &["comment"],
    lambdas: &[],
    statements: &[],
};

/// What the nodes of a grammar mean.
pub(super) fn rules(grammar: Grammar) -> &'static Rules {
    match grammar {
        Grammar::Bash => &BASH,
        Grammar::C => &C,
        Grammar::Cpp => &CPP,
        Grammar::Go => &GO,
        Grammar::Java => &JAVA,
        Grammar::JavaScript => &JAVASCRIPT,
        Grammar::Lua => &LUA,
        Grammar::Php => &PHP,
        Grammar::Python => &PYTHON,
        Grammar::Ruby => &RUBY,
        Grammar::Rust => &RUST,
        Grammar::Tsx | Grammar::TypeScript => &TYPESCRIPT,
    }
}

/// The parser's tables, touched only when a text is parsed.
pub(super) fn language(grammar: Grammar) -> tree_sitter::Language {
    match grammar {
        Grammar::Bash => tree_sitter_bash::LANGUAGE,
        Grammar::C => tree_sitter_c::LANGUAGE,
        Grammar::Cpp => tree_sitter_cpp::LANGUAGE,
        Grammar::Go => tree_sitter_go::LANGUAGE,
        Grammar::Java => tree_sitter_java::LANGUAGE,
        Grammar::JavaScript => tree_sitter_javascript::LANGUAGE,
        Grammar::Lua => tree_sitter_lua::LANGUAGE,
        Grammar::Php => tree_sitter_php::LANGUAGE_PHP,
        Grammar::Python => tree_sitter_python::LANGUAGE,
        Grammar::Ruby => tree_sitter_ruby::LANGUAGE,
        Grammar::Rust => tree_sitter_rust::LANGUAGE,
        Grammar::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        Grammar::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    }
    .into()
}
