//! What was asked and answered after an explanation.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, TransactionBehavior, named_params};

use super::Ledger;
use super::attempts::{count, moment, tokens};
use crate::claude::usage::Tokens;
use crate::error::Error;

/// A question about an explanation, and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTurn {
    /// The job that answered.
    pub job: String,
    /// The question, in the user's words.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// What the model let be seen of its thinking; empty unless that was to be shown.
    pub thoughts: String,
    /// The model that answered.
    pub model: String,
    /// What it took.
    pub tokens: Tokens,
    /// Dollars; none when the price is not known.
    pub cost_usd: Option<f64>,
    /// When it was asked.
    pub created: Timestamp,
    /// The answer came from the simulator.
    pub simulated: bool,
}

impl Ledger {
    /// Adds a turn to the conversation that began with an explanation and has `known` turns; `messages` is all that was
    /// said then. False if there is no such explanation, or if the conversation went on elsewhere meanwhile.
    pub fn append(&self, id: &str, known: usize, turn: &StoredTurn, messages: &str) -> Result<bool, Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let turns: i64 = transaction
                .prepare_cached("SELECT count(*) FROM turns WHERE explanation = ?1")?
                .query_row([id], |row| row.get(0))?;
            if usize::try_from(turns) != Ok(known) {
                return Ok(false);
            }
            let found = transaction
                .prepare_cached("UPDATE explanations SET messages = ?2 WHERE id = ?1")?
                .execute((id, messages))?;
            if found == 0 {
                return Ok(false);
            }
            transaction.prepare_cached(INSERT)?.execute(named_params! {
                ":explanation": id,
                ":number": turns,
                ":job": turn.job,
                ":question": turn.question,
                ":answer": turn.answer,
                ":thoughts": turn.thoughts,
                ":model": turn.model,
                ":input": count(turn.tokens.input),
                ":cache_read": count(turn.tokens.cache_read),
                ":cache_write_5m": count(turn.tokens.cache_write_5m),
                ":cache_write_1h": count(turn.tokens.cache_write_1h),
                ":output": count(turn.tokens.output),
                ":thinking": count(turn.tokens.thinking),
                ":cost_usd": turn.cost_usd,
                ":created": turn.created.as_millisecond(),
                ":simulated": turn.simulated,
            })?;
            transaction.commit()?;
            Ok(true)
        })
    }

    /// The explanation that began the conversation in which a job answered.
    pub fn conversation_of(&self, job: &str) -> Result<Option<String>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT explanation FROM turns WHERE job = ?1")?
                .query_row([job], |row| row.get(0))
                .optional()
        })
    }

    /// What was asked and answered after an explanation, in order.
    pub fn turns(&self, id: &str) -> Result<Vec<StoredTurn>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM turns WHERE explanation = ?1 ORDER BY number")?
                .query_map([id], turn)?
                .collect()
        })
    }
}

const INSERT: &str = "
    INSERT INTO turns (explanation, number, job, question, answer, thoughts, model, input, cache_read, cache_write_5m, cache_write_1h,
        output, thinking, cost_usd, created, simulated)
    VALUES (:explanation, :number, :job, :question, :answer, :thoughts, :model, :input, :cache_read, :cache_write_5m, :cache_write_1h,
        :output, :thinking, :cost_usd, :created, :simulated)";

fn turn(row: &Row<'_>) -> rusqlite::Result<StoredTurn> {
    Ok(StoredTurn {
        job: row.get("job")?,
        question: row.get("question")?,
        answer: row.get("answer")?,
        thoughts: row.get("thoughts")?,
        model: row.get("model")?,
        tokens: tokens(row)?,
        cost_usd: row.get("cost_usd")?,
        created: moment(row.get("created")?),
        simulated: row.get("simulated")?,
    })
}
