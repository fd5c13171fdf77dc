//! Secrets that are known by their provider's name in front of them, since they look like any number or word.

/// The form of one provider's secret behind the provider's name.
pub(super) struct Named {
    /// What it is, for people.
    pub(super) kind: &'static str,
    /// Lower-case words, of which one is part of the name that the value is given.
    pub(super) names: &'static [&'static str],
    /// What the whole value looks like, in any case of letters.
    pub(super) pattern: &'static str,
}

const fn named(kind: &'static str, names: &'static [&'static str], pattern: &'static str) -> Named {
    Named { kind, names, pattern }
}

const UUID: &str = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/// All of them, by provider.
pub(super) const NAMED: &[Named] = &[
    named("Adafruit key", &["adafruit"], "[a-z0-9_-]{32}"),
    named("Adobe client id", &["adobe"], "[a-f0-9]{32}"),
    named("Airtable key", &["airtable"], "[a-z0-9]{17}"),
    named("Algolia key", &["algolia"], "[a-z0-9]{32}"),
    named("Alibaba secret key", &["alibaba", "aliyun"], "[a-z0-9]{30}"),
    named("Asana key", &["asana"], "[0-9]{16}|[a-z0-9]{32}"),
    named("Atlassian token", &["atlassian", "confluence", "jira"], "[a-z0-9]{20}[a-f0-9]{4}"),
    named("AWS secret key", &["aws"], "[a-z0-9/+]{40}"),
    named("Beamer token", &["beamer"], "b_[a-z0-9=_-]{44}"),
    named("Bitbucket key", &["bitbucket"], "[a-z0-9]{32}|[a-z0-9=_-]{64}"),
    named("Bittrex key", &["bittrex"], "[a-z0-9]{32}"),
    named("Meraki key", &["meraki"], "[0-9a-f]{40}"),
    named("Cloudflare key", &["cloudflare"], "[a-z0-9_-]{40}|[a-f0-9]{37}"),
    named("Codecov token", &["codecov"], "[a-z0-9]{32}"),
    named("Cohere token", &["cohere", "co_api_key"], "[a-z0-9]{40}"),
    named("Coinbase token", &["coinbase"], "[a-z0-9_-]{64}"),
    named("Confluent key", &["confluent"], "[a-z0-9]{16}|[a-z0-9]{64}"),
    named("Contentful token", &["contentful"], "[a-z0-9=_-]{43}"),
    named("Datadog key", &["datadog"], "[a-z0-9]{40}|[a-f0-9]{32}"),
    named("Discord secret", &["discord"], "[a-f0-9]{64}|[0-9]{18}|[a-z0-9=_-]{32}"),
    named("Drone token", &["droneci"], "[a-z0-9]{32}"),
    named("Dropbox token", &["dropbox"], "[a-z0-9]{15}|[a-z0-9]{11}a{10}[a-z0-9_=-]{43}|sl\\.[a-z0-9=_-]{130,}"),
    named("Etsy token", &["etsy"], "[a-z0-9]{24}"),
    named("Facebook secret", &["facebook"], "[a-f0-9]{32}|[0-9]{15,16}[|%][0-9a-z_-]{27,40}"),
    named("Fastly token", &["fastly"], "[a-z0-9=_-]{32}"),
    named("Finicity secret", &["finicity"], "[a-f0-9]{32}|[a-z0-9]{20}"),
    named("Finnhub token", &["finnhub"], "[a-z0-9]{20}"),
    named("Flickr token", &["flickr"], "[a-z0-9]{32}"),
    named("FreshBooks token", &["freshbooks"], "[a-z0-9]{64}"),
    named("Gitter token", &["gitter"], "[a-z0-9_-]{40}"),
    named("GoCardless token", &["gocardless"], "live_[a-z0-9_=-]{40}"),
    named("Heroku key", &["heroku"], UUID),
    named("HubSpot key", &["hubspot"], UUID),
    named("Intercom key", &["intercom"], "[a-z0-9=_-]{60}"),
    named("JFrog token", &["jfrog", "artifactory", "bintray", "xray"], "[a-z0-9]{73}|[a-z0-9]{64}"),
    named("Kraken token", &["kraken"], "[a-z0-9/=_+-]{80,90}"),
    named("KuCoin secret", &["kucoin"], "[a-f0-9]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    named("LaunchDarkly token", &["launchdarkly"], "[a-z0-9=_-]{40}"),
    named("Linear secret", &["linear"], "[a-f0-9]{32}"),
    named("LinkedIn secret", &["linkedin", "linked_in", "linked-in"], "[a-z0-9]{14}|[a-z0-9]{16}"),
    named("Lob key", &["lob"], "(?:live|test)_(?:pub_[a-f0-9]{31}|[a-f0-9]{35})"),
    named("Looker secret", &["looker"], "[a-z0-9]{20}|[a-z0-9]{24}"),
    named("Mailchimp key", &["mailchimp"], "[a-f0-9]{32}-us[0-9]{1,2}"),
    named("Mailgun key", &["mailgun"], "(?:pub)?key-[a-f0-9]{32}|[a-h0-9]{32}-[a-h0-9]{8}-[a-h0-9]{8}"),
    named("Mattermost token", &["mattermost"], "[a-z0-9]{26}"),
    named(
        "MessageBird key",
        &["messagebird", "message-bird", "message_bird"],
        "[a-z0-9]{25}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    named("Netlify token", &["netlify"], "[a-z0-9=_-]{40,46}"),
    named("New Relic key", &["newrelic", "new-relic", "new_relic"], "[a-z0-9]{64}"),
    named("New York Times token", &["nytimes", "new-york-times", "newyorktimes"], "[a-z0-9=_-]{32}"),
    named("Okta token", &["okta"], "00[a-z0-9_=-]{40}"),
    named(
        "Plaid secret",
        &["plaid"],
        "access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]{24}|[a-z0-9]{30}",
    ),
    named("Private AI token", &["private_ai", "private-ai", "privateai"], "[a-z0-9]{32}"),
    named("RapidAPI token", &["rapidapi"], "[a-z0-9_-]{50}"),
    named("Sendbird secret", &["sendbird"], "[a-f0-9]{40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    named("Sentry token", &["sentry"], "[a-f0-9]{64}"),
    named("Sidekiq secret", &["contribsys__com"], "[a-f0-9]{8}:[a-f0-9]{8}"),
    named("Snyk token", &["snyk"], UUID),
    named("Sonar token", &["sonar"], "(?:sq[upa]_)?[a-z0-9=_-]{40}"),
    named("Sourcegraph token", &["sourcegraph"], "[a-f0-9]{40}"),
    named("Squarespace token", &["squarespace"], UUID),
    named("Sumo Logic secret", &["sumo"], "su[a-z0-9]{12}|[a-z0-9]{64}"),
    named("Telegram token", &["telegr"], "[0-9]{5,16}:a[a-z0-9_-]{34}"),
    named("Travis token", &["travis"], "[a-z0-9]{22}"),
    named("Twitch token", &["twitch"], "[a-z0-9]{30}"),
    named(
        "Twitter secret",
        &["twitter"],
        "[a-z0-9]{25}|[a-z0-9]{45}|[a-z0-9]{50}|[0-9]{15,25}-[a-z0-9]{20,40}|a{22}[a-z0-9%]{80,100}",
    ),
    named("Typeform token", &["typeform"], "tfp_[a-z0-9_.=-]{59}"),
    named("Yandex secret", &["yandex"], "t1\\.[a-z0-9_-]+={0,2}\\.[a-z0-9_-]{86}={0,2}|yc[a-z0-9_-]{38}"),
    named("Zendesk key", &["zendesk"], "[a-z0-9]{40}"),
    named("Freemius secret key", &["secret_key"], "sk_\\S{29}"),
    named("Azure key", &["azure", "subscription-key", "subscription_key", "cosmos"], "[a-f0-9]{32}|[a-z0-9+/]{86}=="),
];

/// Names that say by themselves that a secret follows.
///
/// The first word of each tells how sure that is: a password is whatever stands there, a `key` may be anything.
pub(super) const TELLING: &[(&str, Strength)] = &[
    ("password", Strength::Password),
    ("passwd", Strength::Password),
    ("passphrase", Strength::Password),
    ("pwd", Strength::Password),
    ("passwort", Strength::Password),
    ("secret", Strength::Secret),
    ("token", Strength::Secret),
    ("apikey", Strength::Secret),
    ("api_key", Strength::Secret),
    ("api-key", Strength::Secret),
    ("api key", Strength::Secret),
    ("access_key", Strength::Secret),
    ("access-key", Strength::Secret),
    ("accesskey", Strength::Secret),
    ("private_key", Strength::Secret),
    ("privatekey", Strength::Secret),
    ("private-key", Strength::Secret),
    ("auth", Strength::Secret),
    ("bearer", Strength::Secret),
    ("credential", Strength::Secret),
    ("creds", Strength::Secret),
    ("key", Strength::Key),
];

/// How sure a name makes it that its value is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// Whatever is not plainly a word or a stand-in.
    Password,
    /// What looks random.
    Secret,
    /// What looks random beyond doubt: keys of tables are called so as well.
    Key,
}
