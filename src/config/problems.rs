//! Problems with settings, collected while all settings are read.

/// One invalid setting and its variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct Problem {
    pub variable: &'static str,
    pub problem: String,
}

/// All problems with the settings; never empty when returned as an error.
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub(super) fn tell(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.0.push(Problem { variable, problem: problem.into() });
    }

    /// Returns the settings if no problem was reported. A missing setting always has a reported problem.
    pub(super) fn unless_told<T>(self, settings: Option<T>) -> Result<T, Problems> {
        settings.filter(|_| self.0.is_empty()).ok_or(self)
    }
}
