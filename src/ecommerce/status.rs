//! The five words for a cart, from facts, in one pure function; and what one more check makes of the facts, in another.

use time::{Duration, OffsetDateTime};

use super::verdict::Class;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Saved, never passed a test of what is saved.
    Draft,
    Connected,
    NeedsAttention,
    NotConnected,
    Inactive,
}

impl Status {
    /// The word in the database and in scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Connected => "connected",
            Self::NeedsAttention => "needs-attention",
            Self::NotConnected => "not-connected",
            Self::Inactive => "inactive",
        }
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Connected => "Connected",
            Self::NeedsAttention => "Needs attention",
            Self::NotConnected => "Not connected",
            Self::Inactive => "Inactive",
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        [Self::Draft, Self::Connected, Self::NeedsAttention, Self::NotConnected, Self::Inactive]
            .into_iter()
            .find(|status| status.as_str() == text)
            .expect("the constraint carts_status allows only these words")
    }

    /// What a page shows while the whole integration is on or off: off, every cart but a Draft is inactive.
    #[must_use]
    pub const fn under(self, integration_is_on: bool) -> Self {
        match self {
            Self::Draft => Self::Draft,
            _ if !integration_is_on => Self::Inactive,
            other => other,
        }
    }

    /// Stock pauses while none of the chosen locations exists: what would be connected then needs attention.
    #[must_use]
    pub const fn with_locations(self, are_gone: bool) -> Self {
        match self {
            Self::Connected if are_gone => Self::NeedsAttention,
            other => other,
        }
    }
}

/// What the status follows from.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether exactly what is saved has ever passed.
    pub has_passed: bool,
    pub is_active: bool,
    /// What stands after the checks of what is saved: [`Standing::class`].
    pub last: Option<Class>,
}

impl Facts {
    pub fn status(self) -> Status {
        match (self.has_passed, self.is_active, self.last.map(Class::bearing)) {
            (false, _, _) => Status::Draft,
            (true, false, _) => Status::Inactive,
            (true, true, None | Some(Bearing::Well | Bearing::Nothing)) => Status::Connected,
            (true, true, Some(Bearing::Limited | Bearing::MayPass)) => Status::NeedsAttention,
            (true, true, Some(Bearing::Refused)) => Status::NotConnected,
        }
    }
}

/// What one check says about its cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    Well,
    /// It works in part, or we cannot open its secret: at once.
    Limited,
    /// A reason that may pass: it stands only after [`IN_A_ROW`] checks in [`FOR_SO_LONG`].
    MayPass,
    /// Shopify said no: at once.
    Refused,
    /// A mistake of ours, or no check at all.
    Nothing,
}

/// So many checks in a row must fail for a reason that may pass …
pub const IN_A_ROW: u32 = 3;
/// … over so long, before anybody is troubled with it.
pub const FOR_SO_LONG: Duration = Duration::minutes(15);

/// What stands of a cart after its checks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The class that the status follows from.
    pub class: Option<Class>,
    /// Since when it has stood, or one that weighs the same; `None` while all is well.
    pub since: Option<OffsetDateTime>,
    /// Checks in a row that failed for a reason that may pass.
    pub streak: u32,
    pub streak_since: Option<OffsetDateTime>,
}

impl Standing {
    /// What stands after one more check.
    #[must_use]
    pub fn after(self, class: Class, at: OffsetDateTime) -> Self {
        let stood = self.class.map(Class::bearing);
        match class.bearing() {
            Bearing::Nothing => self,
            Bearing::Well => Self { class: Some(class), since: None, streak: 0, streak_since: None },
            bearing @ (Bearing::Limited | Bearing::Refused) => {
                let since = self.since.filter(|_| stood == Some(bearing)).unwrap_or(at);
                Self { class: Some(class), since: Some(since), streak: 0, streak_since: None }
            }
            Bearing::MayPass => {
                let (streak, began) = (self.streak + 1, self.streak_since.unwrap_or(at));
                let counted = Self { streak, streak_since: Some(began), ..self };
                let lasts = streak >= IN_A_ROW && at - began >= FOR_SO_LONG;
                // A refused credential is not the better for a network that is away as well.
                if !lasts || stood == Some(Bearing::Refused) {
                    return counted;
                }
                let since = self.since.filter(|_| stood == Some(Bearing::MayPass)).unwrap_or(began);
                Self { class: Some(class), since: Some(since), ..counted }
            }
        }
    }
}

impl Class {
    /// What a check of this class says about its cart. Source: shopify.md §6, *Status after a background check*.
    pub const fn bearing(self) -> Bearing {
        match self {
            Self::Connected | Self::ApiVersionOld => Bearing::Well,
            Self::ScopesMissing | Self::CustomerDetailsHidden | Self::Expires | Self::OurKey => Bearing::Limited,
            Self::TokenRefused
            | Self::TokenStopped
            | Self::TokenKindRefused
            | Self::NotAllowed
            | Self::AddressRefused
            | Self::StoreNotFound
            | Self::StoreMoved
            | Self::StoreFrozen
            | Self::StoreLocked
            | Self::WrongStore
            | Self::Duplicate
            | Self::CcWrongOrg
            | Self::CcNotInstalled
            | Self::CcRefused => Bearing::Refused,
            Self::NetworkDns
            | Self::NetworkUnreachable
            | Self::NetworkTimeout
            | Self::TlsUntrusted
            | Self::NotShopify
            | Self::RateLimited
            | Self::RequestRejected
            | Self::ShopifyDown => Bearing::MayPass,
            Self::OurBug | Self::TestLimit => Bearing::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const EIGHT: OffsetDateTime = datetime!(2026-11-21 08:00 UTC);

    fn minute(n: i64) -> OffsetDateTime {
        EIGHT + Duration::minutes(n)
    }

    #[test]
    fn statuses_follow_from_facts() {
        let table = [
            (false, false, None, Status::Draft),
            (false, true, Some(Class::Connected), Status::Draft),
            (true, false, Some(Class::TokenRefused), Status::Inactive),
            (true, true, None, Status::Connected),
            (true, true, Some(Class::Connected), Status::Connected),
            (true, true, Some(Class::ApiVersionOld), Status::Connected),
            (true, true, Some(Class::ScopesMissing), Status::NeedsAttention),
            (true, true, Some(Class::OurKey), Status::NeedsAttention),
            (true, true, Some(Class::TokenStopped), Status::NotConnected),
            (true, true, Some(Class::StoreFrozen), Status::NotConnected),
            (true, true, Some(Class::NetworkTimeout), Status::NeedsAttention),
        ];
        for (has_passed, is_active, last, status) in table {
            assert_eq!(Facts { has_passed, is_active, last }.status(), status, "{has_passed} {is_active} {last:?}");
        }
    }

    /// Minute and class of each check, then the status and since which minute it has stood.
    #[test]
    fn every_transition_of_an_active_cart_follows_from_its_checks() {
        use Class::{
            Connected as Ok, NetworkTimeout as Net, OurBug as Bug, OurKey as Key, ScopesMissing as Scopes,
            ShopifyDown as Down, StoreFrozen as Frozen, TokenStopped as Token,
        };
        use Status::{Connected, NeedsAttention, NotConnected};
        type Row<'a> = (&'a [(i64, Class)], Status, Option<i64>);
        let table: &[Row<'_>] = &[
            (&[(0, Ok)], Connected, None),
            // Shopify's no counts at once, and ends with the next pass
            (&[(0, Ok), (15, Token)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Token)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Frozen)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Ok)], Connected, None),
            // a limit too
            (&[(0, Scopes)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Scopes)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Key)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Token)], NotConnected, Some(15)),
            (&[(0, Token), (60, Scopes)], NeedsAttention, Some(60)),
            // what may pass needs three in a row
            (&[(0, Ok), (15, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (60, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (20, Down), (25, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (20, Down), (25, Net), (30, Net)], NeedsAttention, Some(15)),
            (&[(0, Ok), (15, Net), (20, Ok), (25, Net), (30, Net), (35, Ok)], Connected, None),
            (&[(0, Net), (5, Net), (10, Ok), (15, Net), (20, Net)], Connected, None),
            (&[(0, Net), (15, Net), (30, Net), (45, Down)], NeedsAttention, Some(0)),
            (&[(0, Net), (15, Net), (30, Net), (45, Token)], NotConnected, Some(45)),
            (&[(0, Net), (15, Net), (30, Net), (45, Ok)], Connected, None),
            // and changes nothing of what stands before
            (&[(0, Scopes), (15, Net)], NeedsAttention, Some(0)),
            (&[(0, Token), (60, Net), (70, Net), (80, Net)], NotConnected, Some(0)),
            // a mistake of ours neither makes nor ends anything
            (&[(0, Ok), (15, Bug), (30, Bug), (45, Bug)], Connected, None),
            (&[(0, Token), (15, Bug)], NotConnected, Some(0)),
            (&[(0, Net), (8, Bug), (9, Net), (16, Net)], NeedsAttention, Some(0)),
        ];
        for (checks, status, since) in table {
            let stands = checks.iter().fold(Standing::default(), |stood, (at, class)| stood.after(*class, minute(*at)));
            let facts = Facts { has_passed: true, is_active: true, last: stands.class };
            assert_eq!((facts.status(), stands.since), (*status, since.map(minute)), "{checks:?}");
        }
    }

    #[test]
    fn a_cart_whose_locations_are_all_gone_needs_attention_if_nothing_is_worse() {
        assert_eq!(Status::Connected.with_locations(true), Status::NeedsAttention);
        assert_eq!(Status::Connected.with_locations(false), Status::Connected);
        for other in [Status::Draft, Status::Inactive, Status::NotConnected] {
            assert_eq!(other.with_locations(true), other);
        }
    }

    #[test]
    fn while_the_integration_is_off_only_drafts_keep_their_word() {
        assert_eq!(Status::Draft.under(false), Status::Draft);
        assert_eq!(Status::Connected.under(false), Status::Inactive);
        assert_eq!(Status::NotConnected.under(true), Status::NotConnected);
    }
}
