(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((python-mode python-ts-mode) "aside" "serve"))
  (setq eglot-confirm-server-initiated-edits nil))
(add-hook 'python-mode-hook #'eglot-ensure)
