//! `prices.NAME.*`: what the user pays for a model's tokens, where that is not what the table says.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Settings;
use super::options::{LongPriceOptions, PriceOptions};
use super::values::{Dollars, Whole};
use crate::claude::models::{self, LongPrompt, Model, Prices};

/// A model's prices as the user knows them, in US dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PriceSettings {
    /// Of ordinary prompts.
    pub ordinary: OwnPrices,
    /// Above so many tokens of input a prompt is long.
    pub long_over_tokens: Option<u64>,
    /// Of long prompts.
    pub long: OwnPrices,
}

/// Five prices, each of which the user may leave to the table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnPrices {
    /// Plain input.
    pub input: Option<f64>,
    /// Output, thinking included.
    pub output: Option<f64>,
    /// Input that is written to the cache for five minutes.
    pub cache_write_5m: Option<f64>,
    /// Input that is written to the cache for an hour.
    pub cache_write_1h: Option<f64>,
    /// Input that is read from the cache.
    pub cache_read: Option<f64>,
}

impl Settings {
    /// What is known of a model, at the user's own prices where there are any.
    pub fn model_data(&self, id: &str) -> Cow<'static, Model> {
        let model = models::lookup(id);
        match self.prices.get(id).or_else(|| self.prices.get(&model.id)) {
            Some(prices) => Cow::Owned(prices.put_into(model.into_owned())),
            None => model,
        }
    }
}

impl PriceSettings {
    fn put_into(&self, mut model: Model) -> Model {
        model.prices = self.ordinary.over(model.prices);
        if let Some(over_tokens) = self.long_over_tokens.or(model.long_prompt.map(|long| long.over_tokens)) {
            let known = model.long_prompt.and_then(|long| long.prices);
            model.long_prompt = Some(LongPrompt { over_tokens, prices: self.long.over(known) });
        }
        model
    }

    pub(super) fn from_options(options: PriceOptions) -> Self {
        let PriceOptions { input, output, cache_write_5m, cache_write_1h, cache_read, long } = options;
        let ordinary = OwnPrices::new([input, output, cache_write_5m, cache_write_1h, cache_read]);
        let LongPriceOptions { over_tokens, input, output, cache_write_5m, cache_write_1h, cache_read } = long;
        Self {
            ordinary,
            long_over_tokens: over_tokens.map(Whole::get).map(u64::from),
            long: OwnPrices::new([input, output, cache_write_5m, cache_write_1h, cache_read]),
        }
    }

    /// The keys below `prices.NAME` with their values, which may be null.
    pub(super) fn values(&self) -> Vec<(String, Value)> {
        let mut values: Vec<_> = self.ordinary.values().map(|(key, value)| (key.to_owned(), value)).collect();
        values.push(("long.over_tokens".to_owned(), json!(self.long_over_tokens)));
        values.extend(self.long.values().map(|(key, value)| (format!("long.{key}"), value)));
        values
    }
}

impl OwnPrices {
    fn new(prices: [Option<Dollars>; 5]) -> Self {
        let [input, output, short_write, long_write, cache_read] = prices.map(|price| price.map(Dollars::get));
        Self { input, output, cache_write_5m: short_write, cache_write_1h: long_write, cache_read }
    }

    /// These prices, and `known` ones in the place of those that are left out; none while one is missing.
    fn over(&self, known: Option<Prices>) -> Option<Prices> {
        Some(Prices {
            input: self.input.or(known.map(|it| it.input))?,
            output: self.output.or(known.map(|it| it.output))?,
            cache_write_5m: self.cache_write_5m.or(known.map(|it| it.cache_write_5m))?,
            cache_write_1h: self.cache_write_1h.or(known.map(|it| it.cache_write_1h))?,
            cache_read: self.cache_read.or(known.map(|it| it.cache_read))?,
        })
    }

    /// The keys that are not set.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.values().filter(|(_, value)| value.is_null()).map(|(key, _)| key)
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let Self { input, output, cache_write_5m, cache_write_1h, cache_read } = *self;
        [
            ("input", input),
            ("output", output),
            ("cache_write_5m", cache_write_5m),
            ("cache_write_1h", cache_write_1h),
            ("cache_read", cache_read),
        ]
        .into_iter()
        .map(|(key, value)| (key, json!(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn settings(toml: &str) -> Settings {
        Settings::from_options(toml::from_str::<Options>(toml).unwrap())
    }

    fn list(prices: Option<Prices>) -> Option<[f64; 5]> {
        prices.map(Into::into)
    }

    #[test]
    fn a_price_of_the_users_own_stands_before_the_tables() {
        let settings = settings("[prices.claude-haiku-5-5]\ninput = 0.05\nlong.output = 2\n");
        for id in ["claude-haiku-5-5", "claude-haiku-5-5-20261001"] {
            let model = settings.model_data(id);
            assert_eq!(list(model.prices_for(100_000)), Some([0.05, 0.5, 0.125, 0.2, 0.01]), "{id}");
            assert_eq!(list(model.prices_for(100_001)), Some([0.5, 2.0, 0.625, 1.0, 0.05]), "{id}");
        }
        assert_eq!(settings.model_data("claude-opus-5-5"), models::lookup("claude-opus-5-5"));
    }

    #[test]
    fn a_model_that_nobody_knows_has_a_price_when_all_of_it_is_given() {
        let all = "input = 1\noutput = 2\ncache_write_5m = 3\ncache_write_1h = 4\ncache_read = 0\n";
        let table = format!("[prices.\"local/llama-3.1\"]\n{all}");
        let model = settings(&table).model_data("local/llama-3.1").into_owned();
        assert_eq!(list(model.prices_for(9_000_000)), Some([1.0, 2.0, 3.0, 4.0, 0.0]));
        let part = table.replace("cache_read = 0\n", "");
        assert_eq!(settings(&part).model_data("local/llama-3.1").prices_for(1), None, "never guessed");
    }

    #[test]
    fn a_long_prompt_whose_price_is_half_known_has_none() {
        let settings = settings("[prices.claude-sonnet-5-5.long]\nover_tokens = 200000\ninput = 4\noutput = 15\n");
        let model = settings.model_data("claude-sonnet-5-5");
        assert_eq!(list(model.prices_for(200_000)), Some([2.0, 10.0, 2.5, 4.0, 0.1]));
        assert_eq!(model.prices_for(200_001), None);
    }
}
