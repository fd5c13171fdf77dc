//! Secrets that are known by how they look, wherever they stand.
//!
//! The facts (prefixes, alphabets, lengths) are public: the providers' own pages, and the list that gitleaks keeps. A value
//! that is longer than its format is taken whole, so what is left never tells how it ended.

/// The form of one provider's secret.
pub(super) struct Format {
    /// What it is, for people.
    pub(super) kind: &'static str,
    /// Lower-case text that each such secret has in it.
    pub(super) anchors: &'static [&'static str],
    /// So many bytes before the anchor the secret may begin at the earliest; 0 if it begins with the anchor.
    pub(super) back: usize,
    /// Whether it must begin where a word begins.
    pub(super) word: bool,
    /// What it looks like from its beginning.
    pub(super) pattern: &'static str,
    /// Whether it must have letters and digits, because words could look like it.
    pub(super) mixed: bool,
}

const fn plain(kind: &'static str, anchors: &'static [&'static str], pattern: &'static str) -> Format {
    Format { kind, anchors, back: 0, word: false, pattern, mixed: false }
}

const fn word(kind: &'static str, anchors: &'static [&'static str], pattern: &'static str) -> Format {
    Format { kind, anchors, back: 0, word: true, pattern, mixed: false }
}

const fn mixed(kind: &'static str, anchors: &'static [&'static str], pattern: &'static str) -> Format {
    Format { kind, anchors, back: 0, word: true, pattern, mixed: true }
}

/// An application's number, with so many digits in front of its last one, `|` or `%7C`, and its secret. Hardly anything else
/// has these anchors with as many digits in front.
const fn facebook(digits: usize) -> Format {
    Format {
        kind: "Facebook token",
        anchors: &[
            "0|", "1|", "2|", "3|", "4|", "5|", "6|", "7|", "8|", "9|", "0%", "1%", "2%", "3%", "4%", "5%", "6%", "7%",
            "8%", "9%",
        ],
        back: digits,
        word: false,
        pattern: r"[0-9]{15,16}[|%][0-9A-Za-z_-]{27,}",
        mixed: true,
    }
}

/// All formats, by provider.
pub(super) const FORMATS: &[Format] = &[
    word(
        "1Password secret key",
        &["a3-"],
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
    ),
    plain("1Password service account token", &["ops_eyj"], r"ops_eyJ[A-Za-z0-9+/_-]{200,}={0,3}"),
    word("Adobe client secret", &["p8e-"], r"p8e-[0-9A-Za-z]{32,}"),
    plain("age key", &["age-secret-key-1"], r"AGE-SECRET-KEY-1[0-9A-Z]{58,}"),
    word("Airtable token", &["pat"], r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64,}"),
    word("Alibaba access key", &["ltai"], r"LTAI[0-9A-Za-z]{16,}"),
    plain("Anthropic API key", &["sk-ant-"], r"sk-ant-[a-z]{2,8}[0-9]{2}-[\w-]{60,}"),
    word("Artifactory API key", &["akcp"], r"AKCp[0-9A-Za-z]{69,}"),
    word("Artifactory reference token", &["cmvmd"], r"cmVmd[0-9A-Za-z]{59,}"),
    word("Atlassian API token", &["atatt3"], r"ATATT3[\w=-]{150,}"),
    word(
        "Authress service key",
        &["sc_", "ext_", "scauth_", "authress_"],
        r"(?:sc|ext|scauth|authress)_[0-9A-Za-z]{5,30}\.[0-9A-Za-z]{4,6}\.acc[_-][0-9A-Za-z-]{10,32}\.[0-9A-Za-z+/_=-]{30,}",
    ),
    word(
        "AWS access key",
        &["akia", "asia", "abia", "acca", "a3t"],
        r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}",
    ),
    word("Amazon Bedrock key", &["absk"], r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    plain("Amazon Bedrock key", &["bedrock-api-key-"], r"bedrock-api-key-[A-Za-z0-9+/]{24,}={0,2}"),
    Format {
        kind: "Azure client secret",
        anchors: &["q~"],
        back: 4,
        word: false,
        pattern: r"[\w~.]{3}[0-9]Q~[\w~.-]{31,}",
        mixed: false,
    },
    mixed("Azure storage key", &["accountkey="], r"(?i:AccountKey=)(?P<secret>[A-Za-z0-9+/]{40,}={0,2})"),
    mixed(
        "Azure shared access key",
        &["sharedaccesskey="],
        r"(?i:SharedAccessKey=)(?P<secret>[A-Za-z0-9+/]{40,}={0,2})",
    ),
    word("ClickHouse Cloud key", &["4b1d"], r"4b1d[0-9A-Za-z]{38,}"),
    plain("Clojars token", &["clojars_"], r"(?i:CLOJARS_)[0-9A-Za-z]{60,}"),
    word("Cloudflare origin CA key", &["v1.0-"], r"v1\.0-[0-9a-f]{24}-[0-9a-f]{140,}"),
    word("Databricks token", &["dapi"], r"dapi[0-9a-f]{32,}(?:-[0-9])?"),
    plain("Defined Networking token", &["dnkey-"], r"(?i:dnkey-)[\w=-]{26}-[\w=-]{52,}"),
    plain("DigitalOcean token", &["doo_v1_", "dop_v1_", "dor_v1_"], r"(?i:do[opr]_v1_)[0-9A-Fa-f]{64,}"),
    plain("Doppler token", &["dp.pt."], r"dp\.pt\.[0-9A-Za-z]{40,}"),
    plain("Duffel token", &["duffel_"], r"duffel_(?:test|live)_[\w=-]{43,}"),
    plain("Dynatrace token", &["dt0c01."], r"dt0c01\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{64,}"),
    word("EasyPost key", &["ezak", "eztk"], r"EZ[AT]K[0-9A-Za-z]{54,}"),
    facebook(15),
    facebook(14),
    word("Facebook page token", &["eaam", "eaac"], r"EAA[MC][0-9A-Za-z]{100,}"),
    plain("Flutterwave key", &["flwseck_test-", "flwpubk_test-"], r"FLW(?:SEC|PUB)K_TEST-[0-9A-Za-z]{12,}(?:-X)?"),
    plain("Flutterwave key", &["flwseck-", "flwpubk-"], r"FLW(?:SEC|PUB)K-[0-9a-z]{32,}-X"),
    word(
        "Fly.io token",
        &["fo1_", "fm1a_", "fm1r_", "fm2_"],
        r"(?:fo1_[\w-]{43,}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3})",
    ),
    plain("Frame.io token", &["fio-u-"], r"fio-u-[\w=-]{64,}"),
    word("Google API key", &["aiza"], r"AIza[\w-]{35,}"),
    word("Google OAuth secret", &["gocspx-"], r"GOCSPX-[\w-]{24,}"),
    word("Google OAuth token", &["ya29."], r"ya29\.[\w.-]{40,}"),
    plain("GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"gh[pousr]_[0-9A-Za-z]{36,}"),
    plain("GitHub token", &["github_pat_"], r"github_pat_\w{70,}"),
    plain(
        "GitLab token",
        &[
            "glcbt-", "gldt-", "glffct-", "glft-", "glimt-", "glagent-", "gloas-", "glpat-", "glptt-", "glrt-",
            "glsoat-", "glrtr-",
        ],
        r"gl(?:cbt|dt|ffct|ft|imt|agent|oas|pat|ptt|rtr?|soat)-[\w-]{20,}(?:\.[0-9a-z]{2}[0-9a-z]{7,})?",
    ),
    plain("GitLab runner token", &["gr1348941"], r"GR1348941[\w-]{20,}"),
    plain("GitLab session", &["_gitlab_session="], r"_gitlab_session=(?P<secret>[0-9a-z]{32,})"),
    word("Grafana API key", &["eyjrijoi"], r"(?i:eyJrIjoi)[A-Za-z0-9+/]{70,}={0,3}"),
    word("Grafana Cloud token", &["glc_"], r"(?i:glc_)[A-Za-z0-9+/]{32,}={0,3}"),
    word("Grafana service account token", &["glsa_"], r"(?i:glsa_)[0-9A-Za-z]{32}_[0-9A-Fa-f]{8,}"),
    word("Harness API key", &["pat.", "sat."], r"(?:pat|sat)\.[\w-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20,}"),
    Format {
        kind: "HashiCorp Terraform token",
        anchors: &[".atlasv1."],
        back: 14,
        word: false,
        pattern: r"[0-9A-Za-z]{14}\.atlasv1\.[\w=-]{60,}",
        mixed: false,
    },
    word("HashiCorp Vault token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[\w-]{90,}"),
    mixed("HashiCorp Vault token", &["s."], r"(?P<secret>s\.[0-9A-Za-z]{24})(?:[^0-9A-Za-z_.(]|$)"),
    word("Heroku API key", &["hrku-aa"], r"HRKU-AA[\w-]{58,}"),
    word("Hugging Face token", &["hf_", "api_org_"], r"(?:hf_|api_org_)[A-Za-z]{34,}"),
    word("Infracost token", &["ico-"], r"ico-[0-9A-Za-z]{32,}"),
    word("Intra42 client secret", &["s-s4t2"], r"s-s4t2(?:ud|af)-[0-9A-Fa-f]{64,}"),
    word("JSON Web Token", &["ey"], r"ey[A-Za-z0-9]{17,}\.ey[A-Za-z0-9/\\_-]{17,}\.(?:[A-Za-z0-9/\\_-]{10,}={0,2})?"),
    word("JSON Web Token", &["zxlk"], r"ZXlK[A-Za-z0-9+/]{60,}={0,2}"),
    word("Linear API key", &["lin_api_"], r"lin_api_[0-9A-Za-z]{40,}"),
    word("Mapbox token", &["pk.", "sk.", "tk."], r"(?i:[pst]k\.)[0-9A-Za-z]{60,}\.[0-9A-Za-z]{22,}"),
    Format {
        kind: "MaxMind licence key",
        anchors: &["_mmk"],
        back: 36,
        word: false,
        pattern: r"[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk",
        mixed: false,
    },
    plain(
        "Microsoft Teams webhook",
        &["webhook.office.com/webhookb2/"],
        r"webhook\.office\.com/webhookb2/(?P<secret>[0-9a-z@/-]+/(?i:IncomingWebhook)/[0-9A-Za-z/-]{30,})",
    ),
    word(
        "New Relic key",
        &["nrak-", "nrii-", "nrjs-"],
        r"(?i:NRAK-[0-9a-z]{27,}|NRII-[0-9a-z-]{32,}|NRJS-[0-9a-f]{19,})",
    ),
    word("Notion token", &["ntn_"], r"ntn_[0-9]{11}[0-9A-Za-z]{35,}"),
    word("npm token", &["npm_"], r"(?i:npm_)[0-9A-Za-z]{36,}"),
    mixed("Octopus Deploy key", &["api-"], r"API-[A-Z0-9]{26,}"),
    mixed(
        "OpenAI API key",
        &["sk-"],
        r"sk-(?:(?:proj|svcacct|admin)-[\w-]{40,}|[0-9A-Za-z]{20,}T3BlbkFJ[0-9A-Za-z]{20,}|[0-9A-Za-z]{48,})",
    ),
    word("OpenShift token", &["sha256~"], r"sha256~[\w-]{43,}"),
    word("Perplexity API key", &["pplx-"], r"pplx-[0-9A-Za-z]{48,}"),
    word("PlanetScale secret", &["pscale_"], r"(?i:pscale_(?:tkn|oauth|pw)_)[\w=.-]{32,}"),
    word("Postman API key", &["pmak-"], r"PMAK-[0-9A-Fa-f]{24}-[0-9A-Fa-f]{34,}"),
    word("Prefect API key", &["pnu_"], r"pnu_[0-9A-Za-z]{36,}"),
    word("Pulumi token", &["pul-"], r"pul-[0-9a-f]{40,}"),
    plain("PyPI token", &["pypi-ageichlwas5vcmc"], r"pypi-AgEIcHlwaS5vcmc[\w-]{50,}"),
    word("ReadMe API key", &["rdme_"], r"rdme_[0-9a-z]{70,}"),
    word("RubyGems key", &["rubygems_"], r"rubygems_[0-9a-f]{48,}"),
    word("Scalingo token", &["tk-us-"], r"tk-us-[\w-]{48,}"),
    word("SendGrid key", &["sg."], r"SG\.[\w=.-]{60,}"),
    word("Brevo key", &["xkeysib-"], r"xkeysib-[0-9a-f]{64}-[0-9A-Za-z]{16,}"),
    word("Sentry token", &["sntrys_eyj"], r"sntrys_eyJ[A-Za-z0-9+/=_-]{60,}"),
    word("Sentry token", &["sntryu_"], r"sntryu_[0-9a-f]{64,}"),
    word("SettleMint token", &["sm_aat_", "sm_pat_", "sm_sat_"], r"sm_[aps]at_[0-9A-Za-z]{16,}"),
    word("Shippo token", &["shippo_"], r"shippo_(?:live|test)_[0-9A-Fa-f]{40,}"),
    plain("Shopify token", &["shpat_", "shpca_", "shppa_", "shpss_"], r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32,}"),
    plain("Slack token", &["xapp-"], r"(?i:xapp)-[0-9]-[0-9A-Za-z]+-[0-9]+-[0-9A-Za-z]{6,}"),
    plain(
        "Slack token",
        &["xoxb-", "xoxp-", "xoxe-", "xoxo-", "xoxs-", "xoxa-", "xoxr-"],
        r"(?i:xox[bpeosar])-[0-9A-Za-z-]{8,}",
    ),
    plain("Slack token", &["xoxe."], r"(?i:xoxe\.xox[bp])-[0-9]-[0-9A-Za-z]{100,}"),
    plain(
        "Slack webhook",
        &["hooks.slack.com/"],
        r"(?i:hooks\.slack\.com/(?:services|workflows|triggers)/)(?P<secret>[A-Za-z0-9+/]{20,})",
    ),
    plain("Discord webhook", &["/api/webhooks/"], r"/api/webhooks/(?P<secret>[0-9]{15,}/[\w-]{50,})"),
    word("Sourcegraph token", &["sgp_"], r"(?i:sgp_)(?:(?:[0-9A-Fa-f]{16}|local)_)?[0-9A-Fa-f]{40,}"),
    word("Square token", &["eaaa", "sq0atp-", "sq0csp-"], r"(?:EAAA|sq0atp-|sq0csp-)[\w-]{22,}"),
    word(
        "Stripe key",
        &["sk_test_", "sk_live_", "sk_prod_", "rk_test_", "rk_live_", "rk_prod_", "whsec_"],
        r"(?:[sr]k_(?:test|live|prod)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/]{24,}={0,2})",
    ),
    mixed("Twilio key", &["sk"], r"SK[0-9A-Fa-f]{32,}"),
    word("Yandex Cloud key", &["aqvn"], r"AQVN[\w-]{35,}"),
];
