//! What the server says of the model that is asked.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ask::on_blocking_thread;
use super::connection::{Connection, server_of};
use super::order::Order;
use super::run::{Run, Stop};
use crate::claude::catalogue::Catalogue;
use crate::claude::models::{self, Model};
use crate::claude::types::ModelInfo;
use crate::error::{Error, ErrorKind};

/// How long a first request waits to learn of a model that the table does not know. Without it only what every model takes
/// is sent, which does as well.
const PATIENCE: Duration = Duration::from_secs(3);

/// More names than this help nobody to choose.
const MOST_NAMES: usize = 8;

/// The model of an order as its server told of it when it was last asked, by whichever process, and what the user should
/// know of its end. Asks nobody.
///
/// # Errors
/// Of kind `config` when it is retired, by the server's word.
pub fn model_as_told(order: &Order, catalogue: &Catalogue) -> Result<(Cow<'static, Model>, Option<String>), Error> {
    let model = order.settings.model_data(&order.model);
    let base_url = &order.settings.api.base_url;
    let server = server_of(base_url);
    let Some(info) = catalogue.info(&server, &model.id).filter(|_| !order.simulated) else { return Ok((model, None)) };
    let model = catalogue.refine(&server, model);
    let word = served(&model, &info, base_url.host_str().unwrap_or_default())?;
    Ok((model, word))
}

/// What a server says of a model's end. Fails when it has come.
fn served(model: &Model, info: &ModelInfo, host: &str) -> Result<Option<String>, Error> {
    let hint = model.successor.as_ref().map(|successor| format!("Set `model` to its successor {successor}."));
    match info.lifecycle.as_deref() {
        Some("retired") => {
            let since = model.retires.as_ref().map(|day| format!(" on {day}")).unwrap_or_default();
            let message = format!("The model {} was retired{since}, says {host}.", model.id);
            let hint = hint.unwrap_or_else(|| "Set `model` to another; `aside doctor` looks at it.".to_owned());
            Err(Error::new(ErrorKind::Config, message).hint(hint))
        }
        Some("deprecated") => {
            let until = model.retires.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
            let word = format!("{} is served{until} and no longer. {}", model.id, hint.unwrap_or_default());
            Ok(Some(word.trim_end().to_owned()))
        }
        _ => Ok(None),
    }
}

impl Run<'_> {
    /// Takes in what the server says of the model. It is waited for only when the table does not know the model, and not
    /// for long.
    ///
    /// Fails when the model is retired, by the server's word, and names its successor.
    pub(super) async fn learn_of_model(&mut self, connection: &Arc<Connection>) -> Result<(), Stop> {
        if !connection.is_shared() {
            return Ok(());
        }
        let (catalogue, server) = (&self.context.models, connection.server());
        let is_news = !self.model.is_known() && catalogue.info(server, &self.model.id).is_none();
        if is_news && catalogue.is_due(server, Timestamp::now()) {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => {
                    catalogue.answered(server, None, Timestamp::now());
                    return Err(Stop::Cancelled);
                }
                _ = tokio::time::timeout(PATIENCE, self.ask_of_models(connection)) => {}
            }
            // Also when the time was over before there was an answer.
            catalogue.answered(server, None, Timestamp::now());
        }
        self.model = catalogue.refine(server, self.model.clone());
        let Some(info) = catalogue.info(server, &self.model.id) else { return Ok(()) };
        let word = served(&self.model, &info, connection.client().host())?;
        self.notes.extend(word.filter(|word| self.context.connections.is_news(word)));
        Ok(())
    }

    /// Asks the server for its models beside the request that is about to be sent, if it was not asked today.
    pub(super) fn ask_for_models(&self, connection: &Arc<Connection>) {
        let server = connection.server();
        if connection.is_shared() && self.context.models.is_due(server, Timestamp::now()) {
            tokio::spawn(self.ask_of_models(connection));
        }
    }

    fn ask_of_models(&self, connection: &Arc<Connection>) -> impl Future<Output = ()> + Send + 'static {
        let (catalogue, connection) = (self.context.models.clone(), connection.clone());
        async move {
            let models = match connection.client().models().await {
                Ok(models) => Some(models),
                Err(error) => {
                    tracing::debug!("the server was not to be asked for its models: {error}");
                    None
                }
            };
            let kept = on_blocking_thread(move || {
                catalogue.answered(connection.server(), models, Timestamp::now());
                Ok(())
            });
            // It can only fail by a panic, which is logged.
            let _ = kept.await;
        }
    }

    /// An error about a model that the server does not have names those that it has, when they are few.
    pub(super) fn with_models(&self, connection: &Connection, error: Error) -> Error {
        if error.kind != ErrorKind::Config
            || models::find(&self.model.id).is_some()
            || !error.message.contains(" has no model ")
        {
            return error;
        }
        match self.context.models.ids(connection.server()).as_slice() {
            [] => error,
            [only] => error.hint(format!("It has {only}: set `model`.")),
            few if few.len() <= MOST_NAMES => {
                error.hint(format!("It has {}: set `model` to one of them.", few.join(", ")))
            }
            _ => error,
        }
    }
}
