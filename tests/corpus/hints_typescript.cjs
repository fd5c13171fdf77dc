// Reads paths from standard input, one a line; prints for each a line of JSON: the annotations of the file by the
// language's own parser, as units (functions, variables) of [erase from, to, annotation from], and all types.
// usage: node hints_typescript.cjs <folder of the package typescript>
const ts = require(process.argv[2]);
const fs = require("fs");

function units(text) {
  const file = ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest, true);
  const found = [];
  const types = [];
  const visit = (node, declared, inType) => {
    declared = declared || (node.modifiers || []).some((m) => m.kind === ts.SyntaxKind.DeclareKeyword);
    const edits = [];
    if (ts.isTypeAliasDeclaration(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) inType = true;
    if (!inType && (ts.isTypeNode(node) || ts.isTypeParameterDeclaration(node))) {
      types.push([node.getStart(), node.end]);
      inType = true;
    }
    if (ts.isFunctionDeclaration(node) && !node.body) types.push([node.getStart(), node.end]);
    if (ts.isFunctionLike(node) && node.body && !declared) {
      for (const parameter of node.parameters) {
        // `x?: T` loses its sign too: without a type it says nothing to a checker.
        if (parameter.type) edits.push([parameter.name.end, parameter.type.end, parameter.type.getStart()]);
      }
      if (node.type && !ts.isConstructorDeclaration(node)) {
        const close = text.lastIndexOf(")", node.type.pos);
        // A predicate asserts something: it stays.
        if (node.type.kind !== ts.SyntaxKind.TypePredicate) edits.push([close + 1, node.type.end, node.type.getStart()]);
      }
    } else if (ts.isVariableDeclaration(node) && node.type && !declared && !node.exclamationToken) {
      edits.push([node.name.end, node.type.end, node.type.getStart()]);
    } else if (ts.isPropertyDeclaration(node) && node.type && !declared && !node.questionToken && !node.exclamationToken) {
      edits.push([node.name.end, node.type.end, node.type.getStart()]);
    }
    if (edits.length) {
      const decorated = [node, node.parent].some((n) => n && ts.canHaveDecorators(n) && (ts.getDecorators(n) || []).length);
      found.push({ edits, design: decorated ? "a decorator that may get types handed over" : null });
    }
    ts.forEachChild(node, (child) => visit(child, declared, inType));
  };
  visit(file, false, false);
  return { units: found, types };
}

for (const path of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  process.stdout.write(JSON.stringify(units(fs.readFileSync(path, "utf8"))) + "\n");
}
