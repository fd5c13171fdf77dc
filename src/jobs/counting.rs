//! Estimates against what servers count: before a request that may not fit, and after every answer.

use super::ask::on_blocking_thread;
use super::run::{Run, Stop};
use crate::error::Error;
use crate::prompt::{self, Plan};

/// What is said where a server cannot count.
const NO_COUNT: &str = "This server does not count tokens, so the estimate decides whether the prompt fits.";

impl Run<'_> {
    /// Has the prompt counted if the estimate alone cannot tell whether it fits.
    ///
    /// Fails with `too_long` if it does not.
    pub(super) async fn count_near_limit(&mut self, plan: &Plan) -> Result<(), Stop> {
        if !plan.is_near_limit() {
            return Ok(());
        }
        let counted = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            counted = async {
                let connection = self.context.connections.get(&self.order.settings).await?;
                connection.count_tokens(&connection.seal(&plan.request, &self.order.settings)).await
            } => counted,
        };
        if let Ok(Some(tokens)) = counted {
            self.learn(plan, tokens).await;
        }
        let note = verdict(plan, &self.order.action.title, &self.model.id, counted)?;
        self.notes.extend(note.filter(|note| self.context.connections.is_news(note)));
        Ok(())
    }

    /// Takes in how many tokens a plan's request really has. What the simulator counts says nothing of real models.
    pub(super) async fn learn(&self, plan: &Plan, reported: u64) {
        if self.order.simulated {
            return;
        }
        let (estimates, model) = (self.context.estimates.clone(), self.model.id.clone());
        let expected = plan.uncorrected_input_tokens;
        let kept = on_blocking_thread(move || {
            estimates.observe(&model, expected, reported);
            Ok(())
        });
        if let Err(error) = kept.await {
            tracing::debug!("estimates were not corrected: {error}");
        }
    }
}

/// Whether a prompt near the limit is sent, and what the user should know of it.
fn verdict(
    plan: &Plan,
    title: &str,
    model: &str,
    counted: Result<Option<u64>, Error>,
) -> Result<Option<String>, Error> {
    let limit = plan.input_limit;
    let (tokens, note) = match counted {
        Ok(Some(tokens)) => (tokens, None),
        Ok(None) => (plan.estimated_input_tokens, Some(NO_COUNT.to_owned())),
        // Whoever refuses to count refuses the request too, with the better error; only what is surely too long stays here.
        Err(error) => {
            tracing::debug!("the prompt could not be counted: {error}");
            (plan.estimated_input_tokens, None)
        }
    };
    if tokens > limit { Err(prompt::too_long(title, model, tokens, limit)) } else { Ok(note) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::ResultForm;
    use crate::claude::types::MessageRequest;
    use crate::error::ErrorKind;

    fn plan(estimated: u64) -> Plan {
        Plan {
            request: MessageRequest::default(),
            layers: Vec::new(),
            estimated_input_tokens: estimated,
            uncorrected_input_tokens: estimated,
            input_limit: 1000,
            form: ResultForm::Explanation,
            notes: Vec::new(),
            memo: prompt::Memo::default(),
        }
    }

    #[test]
    fn a_tenth_around_the_limit_is_near() {
        for (estimated, near) in [(0, false), (900, false), (901, true), (1000, true), (1100, true)] {
            assert_eq!(plan(estimated).is_near_limit(), near, "{estimated}");
        }
    }

    #[test]
    fn a_count_decides_and_without_one_the_estimate() {
        let refused = || Err(Error::new(ErrorKind::Network, "gone"));
        for (estimated, counted, fits) in [
            (950, Ok(Some(1001)), false),
            (1050, Ok(Some(1000)), true),
            (950, Ok(None), true),
            (1050, Ok(None), false),
            (950, refused(), true),
            (1050, refused(), false),
        ] {
            let shown = format!("{estimated} {counted:?}");
            let cannot = matches!(counted, Ok(None));
            match verdict(&plan(estimated), "explain", "m", counted) {
                Ok(note) => assert!(fits && note.is_some() == cannot, "{shown}: {note:?}"),
                Err(error) => assert!(!fits && error.kind == ErrorKind::TooLong, "{shown}: {error}"),
            }
        }
    }
}
