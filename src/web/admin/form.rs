//! Form parsing: known fields only, each at most once, a bounded length, and a form token issued to this browser. A
//! handler receives a form only after its token was checked, so no handler can forget the check (ASVS 3.5.1).

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{
    error::Error,
    form_stash::{FormStash, ResubmitForm},
    session::CurrentSession,
};
use crate::{
    app::App,
    platforms::redact,
    web::frame::{
        body::{self, SMALL_BODY_MAX_LEN},
        client_address::client_address,
        large_forms::LargeForms,
    },
};

/// Longest form, in bytes, of a route that sets no other limit.
pub const LONGEST: usize = SMALL_BODY_MAX_LEN;
/// Longest form of a saved cart, in bytes: 2,000 ticked locations of 36 bytes each, and the other fields.
pub const EDITOR_FORM_MAX_LEN: usize = 96 * 1024;
/// Longest sign-in form, in bytes: it may carry an editor form from an ended session, in base64.
pub const SIGN_IN_FORM_MAX_LEN: usize = EDITOR_FORM_MAX_LEN / 3 * 4 + LONGEST;
/// The field of the form token.
const TOKEN: &str = "csrf";
/// Fields that hold a secret: parsed only into a [`Secret`], never rendered again, never kept. A `Secret` under any
/// other name fails to parse, and a test rejects a password input that is not listed here.
pub const SECRET_FIELDS: [&str; 5] = ["password", "current_password", "new_password", "access_token", "client_secret"];
/// Marks the value of a secret field until it is parsed into a [`Secret`].
const SECRET_MARK: &str = "\u{0}secret\u{0}";

/// A form that holds only its token: a button.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyForm {}

/// The value of a field that [`SECRET_FIELDS`] names.
#[derive(Clone, Debug)]
pub struct Secret(pub SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        let typed = zeroize::Zeroizing::new(String::deserialize(field)?);
        let secret = typed
            .strip_prefix(SECRET_MARK)
            .ok_or_else(|| serde::de::Error::custom("a field of type Secret must be named in web::form::SECRETS"))?;
        Ok(Self(SecretString::from(secret.to_owned())))
    }
}

/// How a route accepts its form.
#[derive(Clone, Copy, Debug)]
pub struct FormRoute {
    /// Longest accepted form, in bytes.
    pub longest_form: usize,
    /// Whether its handler renders the form again from its fields.
    pub redraws: bool,
}

/// The result of reading a request's form.
#[derive(Clone, Debug)]
pub struct ReceivedForm {
    /// The whole body, or the status to refuse it with.
    pub body: Result<Bytes, StatusCode>,
    pub redraws: bool,
}

/// What [`receive`] needs besides the request.
#[derive(Clone, Debug)]
pub struct FormReader {
    pub app: App,
    pub large_forms: LargeForms,
    /// How the route with a path accepts its form.
    pub route_of: fn(&str) -> FormRoute,
}

/// Reads the whole form before authentication, so that the session, the account and its role are looked up when the
/// form is complete and not when its first part arrives. Stores the refusal status of a body that is too long, too slow
/// or not a form.
pub async fn receive(
    State(FormReader { app, large_forms, route_of }): State<FormReader>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::POST {
        let FormRoute { longest_form, redraws } = route_of(request.uri().path());
        let client = client_address(&app, &request);
        let body = std::mem::take(request.body_mut());
        let body = if is_form(request.headers()) {
            body::read(body, longest_form, large_forms.permit(client)).await
        } else {
            Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        };
        request.extensions_mut().insert(ReceivedForm { body, redraws });
    }
    next.run(request).await
}

/// A form whose token was checked.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let Some(ReceivedForm { body, redraws }) = request.extensions().get::<ReceivedForm>().cloned() else {
            return Err(anyhow::anyhow!("the layer that reads forms is missing").into());
        };
        let body = body.map_err(Error::UnreadableForm)?;
        let session = request.extensions().get::<CurrentSession>().cloned();
        let desk = request.extensions().get::<FormStash>().cloned().unwrap_or_default();
        let action = request.uri().path().to_owned();
        check_text(&body).map_err(|wrong| match wrong {
            NotText::Nul => Error::NulInForm,
            NotText::Encoding => Error::UnreadableForm(StatusCode::BAD_REQUEST),
        })?;
        let malformed = |_| Error::UnreadableForm(StatusCode::BAD_REQUEST);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).map_err(malformed)?;
        desk.keep(again(action, &pairs), redraws);
        let token = pairs.iter().find(|(name, _)| name == TOKEN).map(|(_, value)| value.as_str());
        let Some(session) = session else { return Err(Error::OldForm) };
        if !token.is_some_and(|token| session.browser.made(token)) {
            return Err(if session.has_cookie { Error::OldForm } else { Error::NoCookies });
        }
        // The form's own type refuses unknown and duplicate fields.
        let rest: Vec<_> = pairs.iter().filter(|(name, _)| name != TOKEN).collect();
        if rest.len() + 1 != pairs.len() {
            return Err(Error::UnreadableForm(StatusCode::BAD_REQUEST));
        }
        let rest = zeroize::Zeroizing::new(serde_urlencoded::to_string(mark_secrets(joined(rest)))?);
        serde_urlencoded::from_str(&rest).map(Self).map_err(malformed)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Adds the mark to the values of secret fields; only [`Secret`] removes it.
fn mark_secrets(mut fields: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, value) in &mut fields {
        if SECRET_FIELDS.contains(&name.as_str()) {
            value.insert_str(0, SECRET_MARK);
        }
    }
    fields
}

/// Joins the values of a repeated field whose name ends in `[]`, as checkboxes send them, with spaces.
fn joined(pairs: Vec<&(String, String)>) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        match joined.iter_mut().find(|(known, _)| known == name && name.ends_with("[]")) {
            Some((_, values)) => {
                values.push(' ');
                values.push_str(value);
            }
            None => joined.push((name.clone(), value.clone())),
        }
    }
    joined
}

/// Why a form is not valid text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotText {
    /// A `%` without two hex digits, or decoded bytes that are not UTF-8.
    Encoding,
    /// U+0000, which Postgres cannot store.
    Nul,
}

/// Checks that every `%` is followed by two hex digits and that the decoded text is UTF-8 without U+0000. The decoder
/// below would replace invalid input silently, and a name would be saved that nobody typed.
fn check_text(body: &[u8]) -> Result<(), NotText> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = zeroize::Zeroizing::new(Vec::with_capacity(body.len()));
    let mut bytes = body.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = digit(bytes.next()).zip(digit(bytes.next())).ok_or(NotText::Encoding)?;
        decoded.push(u8::try_from(high * 16 + low).expect("two hex digits are a byte"));
    }
    let text = std::str::from_utf8(&decoded).map_err(|_| NotText::Encoding)?;
    if text.contains('\0') { Err(NotText::Nul) } else { Ok(()) }
}

/// The fields of a form without its token and its secrets.
fn again(action: String, pairs: &[(String, String)]) -> ResubmitForm {
    let is_secret = |name: &str| SECRET_FIELDS.contains(&name);
    let is_kept = |name: &str| !is_secret(name) && name != TOKEN;
    let kept = pairs.iter().filter(|(name, _)| is_kept(name));
    // A secret may be part of another field, such as an address with a password in it.
    let fields = kept.map(|(name, value)| (name.clone(), redact(value))).collect();
    ResubmitForm { action, fields, had_secrets: pairs.iter().any(|(name, _)| is_secret(name)) }
}

/// The fields of a form, for a page that only offers to send it again. Nothing is done with them, so the token is not
/// checked.
pub fn typed(request: &Parts) -> Option<ResubmitForm> {
    let received = request.extensions.get::<ReceivedForm>()?;
    let body = received.body.as_ref().ok().filter(|body| check_text(body).is_ok())?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
    Some(again(request.uri.path().to_owned(), &pairs))
}

/// A query string. Unknown parameters and values that do not parse are ignored: links collect parameters in transit,
/// and the page must still be shown.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self(lenient(parts.uri.query().unwrap_or_default())))
    }
}

/// The first value of each parameter, without control characters, which none of our links has and the database refuses.
fn lenient<T: DeserializeOwned + Default>(query: &str) -> T {
    let sent: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(sent.len());
    for (name, value) in sent {
        if !pairs.iter().any(|(known, _)| *known == name) {
            pairs.push((name, value.chars().filter(|c| !c.is_control()).collect()));
        }
    }
    let pairs = serde_urlencoded::to_string(pairs).unwrap_or_default();
    serde_urlencoded::from_str(&pairs).unwrap_or_default()
}

/// The parameters of a path; one that does not parse is a 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Error::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bracketed_fields_may_repeat() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = [pair("at[]", "1"), pair("name", "a"), pair("at[]", "2"), pair("name", "b")];
        let expected = [pair("at[]", "1 2"), pair("name", "a"), pair("name", "b")];
        assert_eq!(joined(sent.iter().collect()), expected);
    }

    #[test]
    fn only_secret_fields_parse_into_a_secret() {
        #[derive(Debug, Deserialize)]
        struct Typed<T> {
            password: T,
        }
        #[derive(Debug, Deserialize)]
        struct Undeclared {
            #[expect(dead_code, reason = "never read, since it does not parse")]
            pin: Secret,
        }
        let sent =
            |name: &str| serde_urlencoded::to_string(mark_secrets(vec![(name.to_owned(), "x".to_owned())])).unwrap();
        let typed: Typed<Secret> = serde_urlencoded::from_str(&sent("password")).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&typed.password.0), "x");
        let plain: Typed<String> = serde_urlencoded::from_str(&sent("password")).unwrap();
        assert_ne!(plain.password, "x", "a plain field cannot read a secret");
        let error = serde_urlencoded::from_str::<Undeclared>(&sent("pin")).unwrap_err();
        assert!(error.to_string().contains("SECRETS"), "{error}");
    }

    #[test]
    fn kept_form_has_no_secret_and_no_token() {
        let pair = |name: &str| (name.to_owned(), format!("value of {name}"));
        let sent: Vec<_> = SECRET_FIELDS.into_iter().chain(["csrf", "website_name"]).map(pair).collect();
        let kept = again("/x".into(), &sent);
        assert_eq!((kept.fields, kept.had_secrets), (vec![pair("website_name")], true));
    }

    #[test]
    fn unknown_query_parameters_are_ignored() {
        #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default)]
        struct Asked {
            show: String,
            q: String,
        }
        let asked = |show: &str, q: &str| Asked { show: show.into(), q: q.into() };
        for (query, expected) in [
            ("", asked("", "")),
            ("show=active&utm_source=mail&utm_source=x", asked("active", "")),
            ("show=a&show=b", asked("a", "")),
            ("q=a%00b%0a&%zz", asked("", "ab")),
            ("=&&&show", asked("", "")),
        ] {
            assert_eq!(lenient::<Asked>(query), expected, "{query}");
        }
    }

    #[test]
    fn malformed_escapes_and_invalid_utf8_are_refused() {
        for body in ["", "a=b&c=%41+%c3%a9", "a=%01", "é=é"] {
            assert_eq!(check_text(body.as_bytes()), Ok(()), "{body}");
        }
        for body in
            [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=%c0%af", b"a=%ed%a0%80", b"a=\xff", b"a=%+1", b"a=%00%ff"]
        {
            assert_eq!(check_text(body), Err(NotText::Encoding), "{}", body.escape_ascii());
        }
        for body in [&b"a=%00"[..], b"a=b\0", b"%00=a"] {
            assert_eq!(check_text(body), Err(NotText::Nul), "{}", body.escape_ascii());
        }
    }
}
