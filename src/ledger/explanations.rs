//! Explanations and the conversations that began with them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, named_params};

use super::Ledger;
use super::attempts::{count, moment, tokens, uncount};
use crate::claude::usage::Tokens;
use crate::error::Error;
use crate::hash;

/// An explanation with all that is needed to show it, to find it by its code, and to go on with the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredExplanation {
    /// Its id, unique for ever.
    pub id: String,
    /// The job that made it.
    pub job: String,
    /// The action's id.
    pub action: String,
    /// The document, as its editor names it.
    pub uri: String,
    /// The document's path, relative to its workspace folder where it has one.
    pub path: Option<String>,
    /// The language's LSP id.
    pub language: String,
    /// Its heading.
    pub title: String,
    /// The exact text that was explained.
    pub code: String,
    /// The first line it stood in then, from 0.
    pub code_start_line: u32,
    /// The last line it stood in then, from 0.
    pub code_end_line: u32,
    /// The answer.
    pub markdown: String,
    /// What the model let be seen of its thinking; empty unless that was to be shown.
    pub thoughts: String,
    /// The conversation so far, as a JSON array of messages.
    pub messages: String,
    /// The model that answered.
    pub model: String,
    /// What it took.
    pub tokens: Tokens,
    /// Dollars; none when the price is not known.
    pub cost_usd: Option<f64>,
    /// When it was made.
    pub created: Timestamp,
    /// The answer came from the simulator.
    pub simulated: bool,
}

/// The code of an explanation, for finding the one under a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedCode {
    /// The explanation's id.
    pub id: String,
    /// The exact text that was explained.
    pub code: String,
    /// The first line it stood in then, from 0.
    pub start_line: u32,
}

impl StoredExplanation {
    /// The SHA-256 of the explained text, as [`Ledger::find_by_code`] wants it.
    pub fn code_hash(&self) -> String {
        code_hash(&self.code)
    }
}

/// The SHA-256 of a text in lower-case hexadecimal.
pub fn code_hash(code: &str) -> String {
    hash::sha256(code)
}

impl Ledger {
    /// Keeps an explanation; one of the same id is replaced.
    pub fn save(&self, explanation: &StoredExplanation) -> Result<(), Error> {
        let hash = explanation.code_hash();
        let tokens = &explanation.tokens;
        self.with(|connection| {
            connection
                .prepare_cached(REPLACE)?
                .execute(named_params! {
                    ":id": explanation.id,
                    ":job": explanation.job,
                    ":action": explanation.action,
                    ":uri": explanation.uri,
                    ":path": explanation.path,
                    ":language": explanation.language,
                    ":title": explanation.title,
                    ":code": explanation.code,
                    ":code_hash": hash,
                    ":code_start_line": explanation.code_start_line,
                    ":code_end_line": explanation.code_end_line,
                    ":markdown": explanation.markdown,
                    ":thoughts": explanation.thoughts,
                    ":messages": explanation.messages,
                    ":model": explanation.model,
                    ":input": count(tokens.input),
                    ":cache_read": count(tokens.cache_read),
                    ":cache_write_5m": count(tokens.cache_write_5m),
                    ":cache_write_1h": count(tokens.cache_write_1h),
                    ":output": count(tokens.output),
                    ":thinking": count(tokens.thinking),
                    ":cost_usd": explanation.cost_usd,
                    ":created": explanation.created.as_millisecond(),
                    ":simulated": explanation.simulated,
                })
                .map(drop)
        })
    }

    /// The explanation of this id.
    pub fn load(&self, id: &str) -> Result<Option<StoredExplanation>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM explanations WHERE id = ?1")?
                .query_row([id], explanation)
                .optional()
        })
    }

    /// What was explained, asked or reviewed last, or gone on with: among documents whose URI begins so. `exact` is for one
    /// document.
    pub fn last_conversation(&self, uri: &str, exact: bool) -> Result<Option<StoredExplanation>, Error> {
        self.with(|connection| connection.prepare_cached(LAST)?.query_row((uri, exact), explanation).optional())
    }

    /// The newest explanation of a text (by [`code_hash`]) of a document.
    pub fn find_by_code(&self, uri: &str, hash: &str) -> Result<Option<StoredExplanation>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT * FROM explanations WHERE uri = ?1 AND code_hash = ?2 ORDER BY created DESC, id DESC LIMIT 1",
                )?
                .query_row([uri, hash], explanation)
                .optional()
        })
    }

    /// The texts of a document that were explained, newest first, each text once.
    pub fn for_uri(&self, uri: &str) -> Result<Vec<ExplainedCode>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    // With a bare `max()`, SQLite takes the other columns from the row that has it.
                    "SELECT id, code, code_start_line, max(created) AS newest FROM explanations WHERE uri = ?1 \
                     GROUP BY code_hash ORDER BY newest DESC, id DESC",
                )?
                .query_map([uri], |row| {
                    Ok(ExplainedCode { id: row.get(0)?, code: row.get(1)?, start_line: row.get(2)? })
                })?
                .collect()
        })
    }
}

// What a hover asked of its own accord is no conversation of anybody's.
const LAST: &str = "
    SELECT * FROM explanations WHERE substr(uri, 1, length(?1)) = ?1 AND (uri = ?1 OR NOT ?2) AND action <> 'hover'
    ORDER BY max(created, coalesce((SELECT max(created) FROM turns WHERE turns.explanation = explanations.id), 0)) DESC,
        id DESC
    LIMIT 1";

const REPLACE: &str = "
    INSERT OR REPLACE INTO explanations (id, job, action, uri, path, language, title, code, code_hash, code_start_line,
        code_end_line, markdown, thoughts, messages, model, input, cache_read, cache_write_5m, cache_write_1h, output, thinking,
        cost_usd, created, simulated)
    VALUES (:id, :job, :action, :uri, :path, :language, :title, :code, :code_hash, :code_start_line,
        :code_end_line, :markdown, :thoughts, :messages, :model, :input, :cache_read, :cache_write_5m, :cache_write_1h, :output,
        :thinking, :cost_usd, :created, :simulated)";

fn explanation(row: &Row<'_>) -> rusqlite::Result<StoredExplanation> {
    let line = |column: &str| row.get(column).map(|line| u32::try_from(uncount(line)).unwrap_or(u32::MAX));
    Ok(StoredExplanation {
        id: row.get("id")?,
        job: row.get("job")?,
        action: row.get("action")?,
        uri: row.get("uri")?,
        path: row.get("path")?,
        language: row.get("language")?,
        title: row.get("title")?,
        code: row.get("code")?,
        code_start_line: line("code_start_line")?,
        code_end_line: line("code_end_line")?,
        markdown: row.get("markdown")?,
        thoughts: row.get("thoughts")?,
        messages: row.get("messages")?,
        model: row.get("model")?,
        tokens: tokens(row)?,
        cost_usd: row.get("cost_usd")?,
        created: moment(row.get("created")?),
        simulated: row.get("simulated")?,
    })
}
