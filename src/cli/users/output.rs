//! Formats users as lines for a terminal.

use crate::accounts::{KnownUser, Presence, Role};

/// One line per user, in columns: address, name, role, presence.
pub fn table(people: &[KnownUser]) -> Vec<String> {
    let rows: Vec<[String; 2]> = people.iter().map(|one| [plain(&one.email), plain(&one.name)]).collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (email, name) = (widest(0), widest(1));
    let line = |(one, [its_email, its_name]): (&KnownUser, &[String; 2])| {
        let role = match one.role {
            Role::Administrator => "Administrator",
            Role::Viewer => "Viewer",
        };
        format!("{its_email:<email$}  {its_name:<name$}  {role:<13}  {}", presence(one.presence))
    };
    people.iter().zip(&rows).map(line).collect()
}

fn presence(presence: Presence) -> String {
    match presence {
        Presence::Off => "disabled".into(),
        Presence::Invited => "invited, not yet joined".into(),
        Presence::SignedIn => "signed in now".into(),
        Presence::Away(None) => "not here yet".into(),
        Presence::Away(Some(at)) => {
            let at = at.to_offset(time::UtcOffset::UTC);
            format!("last here {} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
        }
    }
}

/// Removes control characters, so that a name cannot move the terminal's cursor. Names are also checked on input.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn users_are_listed_in_columns() {
        let person = |email: &str, name: &str, role, presence| KnownUser {
            id: uuid::Uuid::nil(),
            email: email.into(),
            name: name.into(),
            role,
            presence,
        };
        let people = [
            person("ana@agency.example", "Ana", Role::Viewer, Presence::Invited),
            person(
                "sam@northwind.example",
                "Sam \u{1b}[2JLee",
                Role::Administrator,
                Presence::Away(Some(datetime!(2026-11-21 08:14 UTC))),
            ),
        ];
        assert_eq!(
            table(&people),
            [
                "ana@agency.example     Ana         Viewer         invited, not yet joined",
                "sam@northwind.example  Sam [2JLee  Administrator  last here 2026-11-21 08:14 UTC",
            ]
        );
    }
}
