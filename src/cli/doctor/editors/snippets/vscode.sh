code --install-extension "$(scripts/package-vscode)"
