//! What is said of credentials that an API asks for and nobody has set.

use super::language::Language;

/// Credentials that would have been enough, by the names that the document gives their schemes. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCredentials {
    /// The API's name; empty for the one of `[openapi]` and `[upstream]`.
    pub api: String,
    /// Alternatives, each of which would do; what one lists is needed together.
    pub alternatives: Vec<Vec<String>>,
}

impl MissingCredentials {
    /// Which they are and how they are set, for people and for models.
    pub fn sentence(&self, language: Language) -> String {
        let missing = self.listed(language);
        let setting = if self.api.is_empty() {
            "upstream.credentials.{scheme}".to_owned()
        } else {
            format!("apis.{}.credentials.{{scheme}}", self.api)
        };
        match language {
            Language::English => format!(
                "the API asks for credentials that are not set: {missing}; users set their own with PUT /api/credentials/{{scheme}}, \
                 the operator sets everybody's with {setting}"
            ),
            Language::Chinese => format!(
                "该 API 需要的凭据尚未设置：{missing}；用户可通过 PUT /api/credentials/{{scheme}} 设置自己的凭据，\
                 管理员可通过 {setting} 为所有用户设置"
            ),
        }
    }

    /// `KeyQ and Basic, or Bearer`.
    fn listed(&self, language: Language) -> String {
        let alternatives: Vec<String> = self.alternatives.iter().map(|needed| needed.join(language.choose(" and ", " 和 "))).collect();
        alternatives.join(language.choose(", or ", "，或 "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_told_apart_from_what_belongs_together() {
        let missing = MissingCredentials {
            api: String::new(),
            alternatives: vec![vec!["KeyQ".to_owned(), "Basic".to_owned()], vec!["Bearer".to_owned()]],
        };
        let english = missing.sentence(Language::English);
        assert!(english.contains("not set: KeyQ and Basic, or Bearer; users") && english.ends_with("upstream.credentials.{scheme}"));
        assert!(missing.sentence(Language::Chinese).contains("KeyQ 和 Basic，或 Bearer"));
        let of_another = MissingCredentials { api: "shop".to_owned(), ..missing };
        assert!(of_another.sentence(Language::English).ends_with("with apis.shop.credentials.{scheme}"));
    }
}
