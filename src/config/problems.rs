//! What is wrong with the settings, gathered while all of them are read.

/// One thing to mend, with its variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct Problem {
    pub variable: &'static str,
    pub problem: String,
}

/// Every problem of the settings; never empty where it is an error.
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub(super) fn tell(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.0.push(Problem { variable, problem: problem.into() });
    }

    /// The settings, where nothing was told; a setting that is missing was.
    pub(super) fn unless_told<T>(self, settings: Option<T>) -> Result<T, Problems> {
        settings.filter(|_| self.0.is_empty()).ok_or(self)
    }
}
