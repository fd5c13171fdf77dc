//! The actions of one place: Aside's own, the user's, and those of the workspace that were allowed.

use std::sync::Arc;

use super::{Action, Place, catalogue, find_in, offered_of};
use crate::config::Settings;
use crate::error::{Error, ErrorKind};

/// The actions there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Those that may run, in the order of menus and lists.
    actions: Vec<Arc<Action>>,
    /// Those of the workspace that nobody allowed yet.
    waiting: Vec<Arc<Action>>,
}

impl Default for Catalogue {
    /// What Aside comes with.
    fn default() -> Self {
        Self { actions: catalogue().to_vec(), waiting: Vec::new() }
    }
}

impl Catalogue {
    /// What Aside comes with, and these.
    pub(super) fn with(own: impl IntoIterator<Item = Arc<Action>>, waiting: Vec<Arc<Action>>) -> Self {
        let mut all = Self::default();
        // What steers Aside itself stays last.
        let end = all.actions.iter().rposition(|action| action.id != "cancel").map_or(0, |at| at + 1);
        all.actions.splice(end..end, own);
        Self { waiting, ..all }
    }

    /// Those that may run, in the order of menus and lists.
    pub fn actions(&self) -> &[Arc<Action>] {
        &self.actions
    }

    /// Those of the workspace that nobody allowed yet.
    pub fn waiting(&self) -> &[Arc<Action>] {
        &self.waiting
    }

    /// The action called `id`.
    ///
    /// # Errors
    /// Of kind `config`: there is none, with the nearest that there is; or it came with the workspace and was not allowed.
    pub fn find(&self, id: &str) -> Result<&Arc<Action>, Error> {
        if let Some(custom) = self.waiting.iter().find(|action| action.id == id).and_then(|one| one.custom.as_ref()) {
            let message = format!("`{id}` came with this workspace and was not allowed yet, or was changed since.");
            return Err(Error::new(ErrorKind::Config, message)
                .hint(format!("Read {}; then `aside config trust` allows it.", custom.file.display())));
        }
        find_in(&self.actions, id)
    }

    /// The actions to offer at a place, in the order of the catalogue.
    pub fn offered(&self, place: &Place<'_>, settings: &Settings) -> Vec<&Arc<Action>> {
        offered_of(&self.actions, place, settings)
    }
}
