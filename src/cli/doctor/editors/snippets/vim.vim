call ale#linter#Define('python', {'name': 'aside', 'lsp': 'stdio', 'executable': 'aside', 'command': '%e serve',
  \ 'project_root': {buffer -> fnamemodify(bufname(buffer), ':p:h')},
  \ 'initialization_options': {'edits': {'assumeApply': v:true}}})
let g:ale_linters = {'python': ['aside']}
