;;; driver.el --- Does in Emacs what its user does  -*- lexical-binding: t -*-

;; Runs in a real Emacs in batch mode, with eglot and the lines that editors/emacs/README.md gives to users: selects,
;; picks an entry from eglot's menu, looks, undoes.  Results are lines of `ok - …' and `not ok - …' in the file that
;; ASIDE_TEST_RESULTS names; what Emacs says in its echo area comes into ASIDE_TEST_ECHO.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'jsonrpc)
(require 'project)
(require 'subr-x)

(defvar driver-room (file-name-as-directory (getenv "ASIDE_TEST_ROOM")))
(defvar driver-source nil "The buffer of the example.")
(defvar driver-asked nil "What Emacs asked to be answered with yes or no, newest first.")
(defvar driver-menu nil "The titles of the last menu.")
(defvar driver-choice nil "The beginning of the title to pick from a menu.")

(defun driver-check (condition name &optional details)
  "Write whether CONDITION holds as the result of NAME, with DETAILS if not."
  (let ((line (concat (if condition "ok - " "not ok - ") name "\n")))
    (unless condition
      (setq line (format "%s  %s\n" line (truncate-string-to-width (format "%S" details) 3000))))
    (write-region line nil (getenv "ASIDE_TEST_RESULTS") 'append 'silent))
  condition)

(defun driver-echo ()
  "What the echo area has shown since the driver looked away last."
  (with-temp-buffer
    (insert-file-contents (getenv "ASIDE_TEST_ECHO"))
    (buffer-substring-no-properties (min (1+ driver-looked) (point-max)) (point-max))))

(defvar driver-looked 0)
(defun driver-look-away ()
  "Forget what the echo area has shown."
  (setq driver-looked (with-temp-buffer
                        (insert-file-contents (getenv "ASIDE_TEST_ECHO"))
                        (1- (point-max)))))

(defun driver-says (pattern)
  "Whether the echo area has shown PATTERN."
  (string-match-p pattern (driver-echo)))

(defun driver-idle ()
  "Do what Emacs does when no key is pressed, which batch mode leaves out: eglot then tells the server what changed."
  (dolist (timer (copy-sequence timer-idle-list))
    (timer-event-handler timer)))

(defun driver-settle ()
  "Let the hand rest: eglot 1.17 notices a change a moment after it was made, and tells of it when Emacs is idle."
  (dotimes (_ 5)
    (accept-process-output nil 0.05)
    (driver-idle)))

(defmacro driver-wait (what &rest condition)
  "Wait for WHAT, until CONDITION holds.  A limit for what hangs, not a measure of speed."
  (declare (indent 1))
  `(let ((limit (+ (float-time) 60)) found)
     (while (and (not (setq found (progn ,@condition))) (< (float-time) limit))
       (accept-process-output nil 0.02)
       (driver-idle))
     (unless found
       (driver-check nil (concat "waited for " ,what) (list (driver-echo) (driver-text)))
       (kill-emacs 1))
     found))

(defun driver-file (name)
  "The text of the file NAME in the room."
  (with-temp-buffer
    (insert-file-contents (concat driver-room name))
    (buffer-string)))

(defun driver-text (&optional buffer)
  "The text of BUFFER, or the example."
  (with-current-buffer (or buffer driver-source)
    (buffer-substring-no-properties (point-min) (point-max))))

(defun driver-is (wanted name &optional buffer)
  "Check as NAME that the text of BUFFER, or of the example, is WANTED to the character."
  (driver-check (equal (driver-text buffer) wanted) name (driver-text buffer)))

(defun driver-shown (pattern)
  "A buffer of a file whose name matches PATTERN."
  (cl-find-if (lambda (buffer)
                (string-match-p pattern (or (buffer-file-name buffer) "")))
              (buffer-list)))

;; Where a user would be asked.  Batch mode has no keyboard.
(advice-add 'y-or-n-p :override
            (lambda (prompt &rest _) (push prompt driver-asked) t))
(setq completing-read-function
      (lambda (_prompt entries &rest _)
        (setq driver-menu (mapcar #'car entries))
        (or (cl-find-if (lambda (title) (string-prefix-p driver-choice title)) driver-menu)
            (error "No entry %s in %S" driver-choice driver-menu))))

(defun driver-select (name)
  "Select the function NAME of the example, from its first line to behind its last."
  (switch-to-buffer driver-source)
  (goto-char (point-min))
  (re-search-forward (format "^def %s(" name))
  (beginning-of-line)
  (let ((from (point)))
    (forward-line)
    (if (re-search-forward "^[^ \n]" nil t) (beginning-of-line) (goto-char (point-max)))
    (skip-chars-backward "\n")
    (forward-line)
    (push-mark from t t)))

(defun driver-command (function &rest arguments)
  "Call FUNCTION with ARGUMENTS as a key would: with an undo boundary in front of it."
  (undo-boundary)
  (let ((last-nonmenu-event ?a))
    (apply function arguments)))

(defun driver-pick (name title)
  "On the function NAME, pick the entry that begins with TITLE from the whole menu."
  (driver-look-away)
  (driver-select name)
  (setq driver-choice title driver-menu nil)
  (driver-command #'eglot-code-actions (region-beginning) (region-end) nil t))

(defun driver-run (name kind)
  "On the function NAME, run the action KIND, as the keys of the README do."
  (driver-look-away)
  (driver-select name)
  (driver-command #'aside kind))

(defun driver-undo (buffer)
  "Undo once in BUFFER, as one press of its key does."
  (driver-settle)
  (with-current-buffer buffer
    (setq last-command 'ignore)
    (driver-command #'undo))
  (driver-settle))

(defun driver-hold () "Let the answer stop behind its first words."
  (ignore-errors (delete-file (concat driver-room "gate/held")))
  (ignore-errors (delete-file (concat driver-room "gate/gone")))
  (write-region "" nil (concat driver-room "gate/closed") nil 'silent))
(defun driver-release () "Let the answer go on."
  (delete-file (concat driver-room "gate/closed")))
(defun driver-gate (name) "Whether the gate says NAME."
  (file-exists-p (concat driver-room "gate/" name)))

(defun driver-hover (name)
  "What eglot shows when point is on the function NAME."
  (with-current-buffer driver-source
    (goto-char (point-min))
    (re-search-forward (format "^def %s" name))
    (backward-char 2)
    (let (shown)
      (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown text)))
      (driver-wait "the hover" shown)
      (substring-no-properties shown))))

(defun driver-progress ()
  "What the mode line shows of progress; nil where eglot does not show any."
  (and (boundp 'eglot-report-progress)
       (with-current-buffer driver-source (format "%S" (eglot--mode-line-format)))))

(defun driver-managed (buffer)
  "Wait until eglot manages BUFFER."
  (with-current-buffer buffer
    ;; `eglot-ensure' waits for a command to end, which batch mode does not have.
    (run-hooks 'post-command-hook)
    (driver-wait "eglot to manage the buffer" (and (eglot-current-server) (eglot-managed-p)))))

(defun driver-explain ()
  "An explanation from the menu, and its hover."
  (driver-pick "restock_report" "Aside: explain")
  (dolist (title '("Aside: explain" "Aside: add type hints" "Aside: write tests" "Aside: document"))
    (driver-check (cl-find-if (lambda (entry) (string-prefix-p title entry)) driver-menu)
                  (format "the menu offers \"%s\"" title) driver-menu))
  (driver-check (not (cl-find-if (lambda (entry) (string-prefix-p "Cancel" entry)) driver-menu))
                "the menu offers nothing to cancel while nothing runs" driver-menu)
  (if (boundp 'eglot-report-progress)
      ;; Emacs 30 can be asked to show a document.
      (let ((explanation (driver-wait "the explanation" (driver-shown "/explanations/"))))
        (driver-check (string-match-p "restock_report" (driver-text explanation))
                      "the explanation is shown, and about the function" (driver-text explanation))
        (driver-check (string-match-p "Simulated" (driver-text explanation))
                      "the explanation is marked as simulated" (driver-text explanation))
        (setq driver-explanation (buffer-file-name explanation))
        (kill-buffer explanation))
    ;; Emacs 28 cannot: it says the beginning and where the rest is.
    (driver-wait "the explanation" (driver-says "/explanations/.*\\.md"))
    (let* ((echo (driver-echo))
           (path (and (string-match "/[^ \n]*/explanations/[^ \n]*\\.md" echo) (match-string 0 echo))))
      (setq driver-explanation path)
      (driver-check (string-match-p "restock_report" echo) "the explanation's beginning is said" echo)
      (driver-check (and path (file-readable-p path)
                         (with-temp-buffer (insert-file-contents path) (search-forward "Simulated" nil t)))
                    "and the file with all of it is there, marked as simulated" echo)))
  (driver-is driver-original "an explanation leaves the code alone")
  (let ((hover (driver-hover "restock_report")))
    (driver-check (string-match-p "restock_report" hover) "hover shows the explanation again" hover)))

(defun driver-ask ()
  "Questions: about an explanation, and about code, where a wish is an edit."
  (let ((explanation (find-file driver-explanation)))
    (driver-command #'aside-follow-up "Where is load_items defined?")
    (driver-wait "the answer"
      (with-temp-buffer
        (insert-file-contents driver-explanation)
        (search-forward "<definition name=\"load_items\"" nil t)))
    (with-current-buffer explanation
      (revert-buffer t t)
      (goto-char (point-min))
      (driver-check (and (search-forward "> Where is load_items defined?" nil t)
                         (search-forward "<definition name=\"load_items\"" nil t))
                    "an explanation's file grows by a question and its answer" (buffer-string)))
    (driver-settle)
    (kill-buffer explanation))
  (driver-is driver-original "which leaves the code alone")
  (driver-select "restock_report")
  (driver-command #'aside-ask "Add nothing")
  (driver-wait "the edit" (not (equal (driver-text) driver-original)))
  (driver-check (string-match-p "^# Simulated: Add nothing\ndef restock_report" (driver-text))
                "a wish is an edit" (driver-text))
  (driver-undo driver-source)
  (driver-is driver-original "one undo takes it back"))

(defun driver-review ()
  "A finding is flymake's, and is mended from the menu."
  (with-current-buffer driver-source
    (goto-char (point-min))
    (re-search-forward "^def parse_price.*\n.*\n")
    (driver-command #'insert "    if text == None: return 0\n")
    (driver-settle)
    (driver-run "parse_price" "refactor.aside.review")
    (let ((finding (driver-wait "the finding"
                     (cl-find-if (lambda (diagnostic)
                                   (string-match-p "`None` is compared" (flymake-diagnostic-text diagnostic)))
                                 (flymake-diagnostics)))))
      (driver-check (equal (line-number-at-pos (flymake-diagnostic-beg finding))
                           (save-excursion (goto-char (point-min))
                                           (re-search-forward "== None")
                                           (line-number-at-pos)))
                    "a finding stands at its line" finding))
    (driver-pick "parse_price" "Aside: repair")
    (driver-wait "the repair" (string-match-p "if text is None: return 0" (driver-text)))
    (driver-check t "and is mended from the menu")
    (driver-settle)
    (goto-char (point-min))
    (re-search-forward "^    if text is None: return 0\n")
    (driver-command #'replace-match "")
    (driver-settle))
  (driver-is driver-original "a review has changed nothing else"))

(defun driver-hints ()
  "Hints land, and one undo takes them back."
  (driver-run "restock_report" "refactor.rewrite.aside.typeHints")
  (driver-wait "the hints" (not (equal (driver-text) driver-original)))
  (driver-is (driver-file "hints") "the buffer is what the answer says")
  (driver-check (null driver-asked) "nothing was asked" driver-asked)
  (driver-undo driver-source)
  (driver-is driver-original "one undo brings it back"))

(defun driver-tests ()
  "Tests come into a file of their own; once it is open, more come into its buffer."
  (driver-run "parse_price" "refactor.aside.tests")
  (if (boundp 'eglot-report-progress)
      (driver-wait "the tests" (driver-shown "/test_inventory\\.py\\'"))
    (driver-wait "the path of the tests" (driver-says "The tests are in .*/test_inventory\\.py$"))
    (driver-check t "it is said where the tests are"))
  (let* ((tests (find-file "test_inventory.py"))
         (first (driver-text tests)))
    (driver-check (string-match-p "def test_parse_price" first) "tests appear in their file" first)
    (driver-is driver-original "the code under test stays as it is")
    (driver-managed tests)
    (driver-run "restock_report" "refactor.aside.tests")
    (driver-wait "more tests" (not (equal (driver-text tests) first)))
    (driver-check (and (string-match-p "def test_parse_price" (driver-text tests))
                       (string-match-p "def test_restock_report" (driver-text tests)))
                  "a second run extends it" (driver-text tests))
    (driver-check (null driver-asked) "nothing was asked" driver-asked)
    (driver-undo tests)
    (driver-is first "one undo takes the second run's tests back" tests)
    (driver-check (not (driver-says "Not applied")) "and it was never said that something was not applied" (driver-echo))))

(defun driver-cancel ()
  "What runs can be stopped midway."
  (driver-hold)
  (driver-run "parse_price" "refactor.rewrite.aside.typeHints")
  (driver-wait "the first words" (driver-gate "held"))
  (when (driver-progress)
    (driver-wait "the progress in the mode line" (string-match-p "Add type hints" (driver-progress)))
    (driver-check t "progress is in the mode line while the answer comes"))
  (driver-pick "parse_price" "Cancel: Add type hints")
  (driver-wait "the request to be hung up" (driver-gate "gone"))
  (driver-check t "cancelling from the menu hangs up, and does not wait for the end")
  (driver-release)
  (driver-hold)
  (driver-run "parse_price" "refactor.rewrite.aside.typeHints")
  (driver-wait "the first words" (driver-gate "held"))
  (driver-select "parse_price")
  (driver-command #'aside-cancel)
  (driver-wait "the request to be hung up" (driver-gate "gone"))
  (driver-check t "the key for it cancels as well")
  (driver-release)
  ;; Another action on the same text shows that the first one left it alone and the server is in step.
  (driver-run "restock_report" "refactor.rewrite.aside.typeHints")
  (driver-wait "the hints" (not (equal (driver-text) driver-original)))
  (driver-is (driver-file "hints") "nothing of a cancelled edit is in the buffer")
  (driver-undo driver-source))

(defun driver-typing ()
  "An edit lands although its user goes on typing."
  (driver-hold)
  (driver-run "restock_report" "refactor.rewrite.aside.typeHints")
  (driver-wait "the first words" (driver-gate "held"))
  (driver-command (lambda ()
                    (goto-char (point-min))
                    (re-search-forward "^def restock_report")
                    (beginning-of-line)
                    (insert "# one more line above\n")))
  ;; While it types on, eglot tells nobody and refuses what comes.
  (driver-settle)
  (driver-release)
  (driver-wait "the hints" (string-match-p "def restock_report(.*: " (driver-text)))
  (driver-is (driver-file "typed") "typing before the selection: both are there")
  ;; The server hears of it, and the action ends, before the session does.
  (driver-settle))

(defun driver-usage ()
  "The bill can be read."
  (driver-look-away)
  (driver-command #'aside-usage)
  (driver-check (driver-says "today.*\\$[0-9.]+.*[1-9][0-9]?% from cache") "the bill can be read" (driver-echo)))

(defvar driver-original nil)
(defvar driver-explanation nil "The file of the explanation.")
(defun driver-main ()
  "All of it."
  (setq driver-source (find-file "inventory.py"))
  (driver-managed driver-source)
  (setq driver-original (driver-text))
  (transient-mark-mode 1)
  (driver-explain)
  (driver-ask)
  (driver-review)
  (driver-hints)
  (driver-tests)
  (driver-cancel)
  (driver-typing)
  (driver-usage)
  (let ((server (with-current-buffer driver-source (eglot-current-server))))
    (with-current-buffer driver-source (set-buffer-modified-p nil))
    ;; An edit that was undone before eglot told of it is still waited for; so nothing is left running.
    (with-current-buffer driver-source (driver-command #'aside-cancel))
    (let ((end (+ (float-time) 1.5)))
      (while (< (float-time) end)
        (accept-process-output nil 0.1)
        (driver-idle)))
    (eglot-shutdown server nil 20)
    (driver-wait "the server to end" (not (jsonrpc-running-p server)))
    (driver-check t "the server ends when it is told to")))

;; The compiler to machine code is not installed.
(setq native-comp-jit-compilation nil
      native-comp-deferred-compilation nil
      debug-on-error nil)
(condition-case problem
    (driver-main)
  (error
   (driver-check nil "the driver came to its end" problem)
   (kill-emacs 1)))

;;; driver.el ends here
