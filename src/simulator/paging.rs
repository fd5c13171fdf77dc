//! Lists in pages: `limit`, `after_id` and `before_id`.

use serde_json::{Value, json};

use super::failure::Failure;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

impl Paging {
    /// From the query.
    pub(super) fn new(query: &[(String, String)]) -> Result<Self, Failure> {
        let mut paging = Self { limit: 20, after: None, before: None };
        for (key, value) in query {
            match key.as_str() {
                "limit" => {
                    let limit =
                        value.parse().map_err(|_| Failure::invalid("limit: Input should be a valid integer"))?;
                    if !(1..=1000).contains(&limit) {
                        return Err(Failure::invalid("limit: Input should be between 1 and 1000"));
                    }
                    paging.limit = limit;
                }
                "after_id" => paging.after = Some(value.clone()),
                "before_id" => paging.before = Some(value.clone()),
                "beta" => {}
                _ => return Err(Failure::invalid(format!("{key}: Extra inputs are not permitted"))),
            }
        }
        if paging.after.is_some() && paging.before.is_some() {
            return Err(Failure::invalid("after_id: only one of after_id and before_id can be given"));
        }
        Ok(paging)
    }
}

/// The page of a list of objects with an `id`.
pub(super) fn page(items: &[Value], paging: &Paging) -> Result<Value, Failure> {
    let id = |item: &Value| item.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = |name: &str, wanted: &String| {
        let found = items.iter().position(|item| id(item) == *wanted);
        found.ok_or_else(|| Failure::invalid(format!("{name}: there is no {wanted}")))
    };
    let total = items.len();
    let range = match (&paging.after, &paging.before) {
        (Some(after), _) => {
            let start = place("after_id", after)? + 1;
            start..(start + paging.limit).min(total)
        }
        (None, Some(before)) => {
            let end = place("before_id", before)?;
            end.saturating_sub(paging.limit)..end
        }
        (None, None) => 0..paging.limit.min(total),
    };
    let has_more = if paging.before.is_some() { range.start > 0 } else { range.end < total };
    let data = &items[range];
    Ok(json!({"data": data, "has_more": has_more, "first_id": data.first().map(id), "last_id": data.last().map(id)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &[(&str, &str)]) -> (Vec<String>, bool) {
        let query: Vec<_> = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let items = ["a", "b", "c", "d", "e"].map(|id| json!({"id": id}));
        let page = page(&items, &Paging::new(&query).unwrap()).unwrap();
        let ids = page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        (ids.collect(), page["has_more"].as_bool().unwrap())
    }

    #[test]
    fn pages_forwards_and_backwards() {
        let some = |ids: &[&str], more| (ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), more);
        assert_eq!(ids(&[]), some(&["a", "b", "c", "d", "e"], false));
        assert_eq!(ids(&[("limit", "2")]), some(&["a", "b"], true));
        assert_eq!(ids(&[("limit", "2"), ("after_id", "b")]), some(&["c", "d"], true));
        assert_eq!(ids(&[("limit", "2"), ("after_id", "d")]), some(&["e"], false));
        assert_eq!(ids(&[("limit", "2"), ("before_id", "d")]), some(&["b", "c"], true));
        assert_eq!(ids(&[("limit", "5"), ("before_id", "c")]), some(&["a", "b"], false));
    }

    #[test]
    fn refuses_what_makes_no_page() {
        for (key, value) in [("limit", "0"), ("limit", "x"), ("limit", "1001"), ("page", "2")] {
            assert!(Paging::new(&[(key.to_owned(), value.to_owned())]).is_err(), "{key}={value}");
        }
        let nowhere = Paging { limit: 1, after: Some("x".to_owned()), before: None };
        assert!(page(&[json!({"id": "a"})], &nowhere).is_err());
    }
}
