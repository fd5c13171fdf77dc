hook -group aside global BufSetOption filetype=(python|markdown) %{
    set-option -add buffer lsp_servers %{
        [aside]
        root_globs = [".git"]
        command = "aside"
        args = ["serve"]
    }
}
