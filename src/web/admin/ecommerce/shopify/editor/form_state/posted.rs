//! Parses the editor's form. Reports all complaints at once; a refused secret is not echoed.

use std::{collections::BTreeSet, fmt};

use secrecy::ExposeSecret;
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use uuid::Uuid;

use super::{AddressHint, EditorForm, SecretView};
use crate::{
    carts::{
        CartSubmission, CredentialInput, WebsiteName,
        settings::{CartSettings, Setting, SettingsInput, item_group},
    },
    pasted,
    platforms::shopify::{
        address::{self, StoreAddress},
        credential::{AccessToken, ClientId, ClientSecret, Credential, CredentialError, CredentialKind, Warning},
        redact_secrets, redact_tokens,
    },
    web::admin::{
        fields::{Complaint, FormField},
        form::Secret,
    },
};

/// The form as sent; unknown and duplicate fields are refused.
#[derive(Debug, Deserialize)]
pub struct PostedForm {
    pub submission: Uuid,
    pub version: Option<i64>,
    #[serde(default)]
    pub website_name: String,
    #[serde(default)]
    pub api_url: String,
    pub credential_kind: CredentialKind,
    pub access_token: Option<Secret>,
    #[serde(default)]
    pub client_id: String,
    pub client_secret: Option<Secret>,
    pub active: Option<String>,
    /// Names of the settings that could be used on the page; absent if it had none.
    pub offered: Option<String>,
    /// Ids of the ticked locations, separated by spaces.
    #[serde(default, rename = "location[]")]
    pub locations: String,
    #[serde(default)]
    pub item_group: String,
    /// The case that *Set* gives to a practice store.
    pub practice_now: Option<String>,
    /// Set by the secondary buttons, most of which only render the form again.
    pub intent: Option<String>,
    /// The ticked switches. Takes the fields that no other field of this struct takes, so it refuses unknown ones.
    #[serde(flatten, deserialize_with = "ticked_switches")]
    pub switches: BTreeSet<Setting>,
}

/// Parses fields that are each named after a switch.
fn ticked_switches<'de, D: Deserializer<'de>>(fields: D) -> Result<BTreeSet<Setting>, D::Error> {
    struct Switches;
    impl<'de> Visitor<'de> for Switches {
        type Value = BTreeSet<Setting>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("names of switches")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<Self::Value, M::Error> {
            let mut ticked = BTreeSet::new();
            while let Some((name, IgnoredAny)) = fields.next_entry::<String, IgnoredAny>()? {
                let switch = Setting::parse_switch(&name).ok_or_else(|| de::Error::custom("unknown field"))?;
                if !ticked.insert(switch) {
                    return Err(de::Error::custom("duplicate field"));
                }
            }
            Ok(ticked)
        }
    }
    fields.deserialize_map(Switches)
}

/// What was typed into a secret field; blank counts as absent.
fn typed(field: Option<&Secret>) -> Option<&str> {
    field.map(|Secret(typed)| typed.expose_secret()).filter(|typed| !pasted::trim(typed).is_empty())
}

/// A parsed form.
#[derive(Debug)]
pub struct ParsedForm {
    /// The form to render again, with its complaints.
    pub form: EditorForm,
    /// `None` if anything was refused.
    pub submission: Option<CartSubmission>,
    /// The address, whatever else is wrong.
    pub address: Option<StoreAddress>,
    /// A valid typed credential, if there is no `submission` to hold it.
    pub stray: Option<Credential>,
}

impl PostedForm {
    /// Parses every field and collects every complaint.
    pub fn understand(self) -> ParsedForm {
        let mut form = EditorForm {
            website_name: FormField { value: redact_tokens(&self.website_name), ..FormField::default() },
            api_url: FormField { value: self.api_url.clone(), ..FormField::default() },
            client_id: FormField { value: redact_tokens(&self.client_id), ..FormField::default() },
            kind: self.credential_kind,
            active: self.active.is_some(),
            submission: self.submission.to_string(),
            version: self.version,
            ..EditorForm::default()
        };
        self.understand_settings(&mut form);
        if matches!(ClientId::parse(&self.client_id), Err(CredentialError::ClientIdIsSecret)) {
            form.client_id.value.clear();
        }
        let name = WebsiteName::parse(&self.website_name)
            .map_err(|error| form.website_name.complaint = Some(Complaint::new(error.class(), error.to_string())))
            .ok();
        let address = understand_address(&self.api_url, &mut form);
        let offered = self.understand_credential(&mut form);
        match (name, address, offered) {
            (Some(name), Some(address), Some(offered)) => {
                let submission = CartSubmission {
                    id: self.submission,
                    name,
                    address: address.clone(),
                    offered,
                    wants_active: self.active.is_some(),
                };
                ParsedForm { form, submission: Some(submission), address: Some(address), stray: None }
            }
            (_, address, offered) => {
                let stray = match offered {
                    Some(CredentialInput::Typed(credential)) => Some(credential),
                    _ => None,
                };
                ParsedForm { form, submission: None, address, stray }
            }
        }
    }

    /// Parses the other settings. Only a save reports what is wrong with them; a test does not need an item group.
    fn understand_settings(&self, form: &mut EditorForm) {
        let Some(offered) = &self.offered else { return };
        let offered: BTreeSet<Setting> = offered.split(' ').filter_map(Setting::parse).collect();
        let is_needed = self.switches.contains(&Setting::ImportProducts);
        let group = item_group(&self.item_group, is_needed);
        form.group_error = group.as_ref().err().copied().filter(|_| offered.contains(&Setting::ItemGroup));
        form.item_group.value = redact_tokens(&self.item_group);
        form.asked = Some(SettingsInput {
            offered,
            settings: CartSettings {
                switches: self.switches.clone(),
                locations: self.locations.split_whitespace().map(str::to_owned).collect(),
                item_group: group.unwrap_or_default(),
            },
        });
    }

    /// The typed credential, or that none was typed; `None` with complaints in the form.
    fn understand_credential(&self, form: &mut EditorForm) -> Option<CredentialInput> {
        match self.credential_kind {
            CredentialKind::AccessToken => self.understand_token(form),
            CredentialKind::ClientCredentials => self.understand_pair(form),
        }
    }

    fn understand_token(&self, form: &mut EditorForm) -> Option<CredentialInput> {
        let Some(typed) = typed(self.access_token.as_ref()) else {
            return Some(CredentialInput::Blank { kind: CredentialKind::AccessToken, client_id: None });
        };
        let token = understand_secret(AccessToken::parse(typed), &mut form.access_token)?;
        Some(CredentialInput::Typed(Credential::AccessToken(token)))
    }

    fn understand_pair(&self, form: &mut EditorForm) -> Option<CredentialInput> {
        let id = ClientId::parse(&self.client_id).map_err(|error| {
            form.client_id.complaint = Some(match error {
                CredentialError::ClientIdIsSecret => refused(&error),
                _ => Complaint::new(error.class(), error.to_string()),
            });
        });
        let id = id.ok();
        let Some(typed) = typed(self.client_secret.as_ref()) else {
            return id
                .map(|id| CredentialInput::Blank { kind: CredentialKind::ClientCredentials, client_id: Some(id) });
        };
        let secret = understand_secret(ClientSecret::parse(typed), &mut form.client_secret)?;
        let pair = Credential::pair(id?, secret).map_err(|error| {
            // Either of the two may be the secret, so neither is rendered again.
            form.client_id.value.clear();
            form.client_secret = SecretView { complaint: Some(refused(&error)), ..SecretView::default() };
        });
        pair.ok().map(CredentialInput::Typed)
    }
}

/// Returns a valid secret, perhaps with a warning at its field; otherwise complains there.
fn understand_secret<T>(parsed: Result<(T, Option<Warning>), CredentialError>, view: &mut SecretView) -> Option<T> {
    let (secret, warning) = parsed.map_err(|error| view.complaint = Some(refused(&error))).ok()?;
    if let Some(warning) = warning {
        view.note = Some(warning.to_string());
        view.is_warning = true;
    }
    Some(secret)
}

/// Parses API URL and shows the store in the form, or complains there.
pub fn understand_address(typed: &str, form: &mut EditorForm) -> Option<StoreAddress> {
    match StoreAddress::parse(typed) {
        Ok(understood) => {
            form.api_url.value = understood.address.admin_url();
            form.understood = Some(line(&understood));
            Some(understood.address)
        }
        Err(error) => {
            let is_kept = error.class() != "IS_TOKEN" && typed.len() <= address::API_URL_MAX_LEN;
            form.api_url.value = if is_kept { redact_secrets(typed) } else { String::new() };
            form.api_url.complaint = Some(Complaint::new(error.class(), error.to_string()));
            None
        }
    }
}

/// The green line under API URL.
pub fn line(understood: &address::ParsedAddress) -> AddressHint {
    let more = match (understood.dropped_pair, understood.added_suffix) {
        (true, _) => Some("That address had a key and password in it. We left them out.".to_owned()),
        (false, true) => Some("We added .myshopify.com.".to_owned()),
        (false, false) => None,
    };
    AddressHint { host: understood.address.host(), more }
}

/// The complaint about a refused secret, which says that it was not kept.
fn refused(error: &CredentialError) -> Complaint {
    Complaint::new(error.class(), error.refusal())
}
