//! Problems with settings, collected while all settings are read.

/// An invalid setting, with the name of its variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct SettingProblem {
    pub variable: &'static str,
    pub problem: String,
}

/// All problems with the settings; never empty when returned as an error.
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingProblems(pub Vec<SettingProblem>);

impl SettingProblems {
    pub(super) fn tell(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.0.push(SettingProblem { variable, problem: problem.into() });
    }

    /// Returns the settings if no problem was reported. If `settings` is `None`, a problem was reported before.
    pub(super) fn unless_told<T>(self, settings: Option<T>) -> Result<T, SettingProblems> {
        settings.filter(|_| self.0.is_empty()).ok_or(self)
    }
}
