//! Users whose phones belong to another host, and where that is.
//!
//! Pure. The first rule that fits a login decides, so that exceptions stand before what they are exceptions of. Implements the
//! server's choice behind [MS-ASHTTP] "451 Redirect".

use url::Url;

/// Who is sent where, in the order of the rules.
#[derive(Clone, Debug, Default)]
pub struct Redirects(Vec<(Logins, Url)>);

/// Whom a rule is about; in lower case.
#[derive(Clone, Debug)]
enum Logins {
    Everybody,
    /// What stands behind the `@`.
    Domain(String),
    One(String),
}

impl Redirects {
    /// Rules: `*`, `*@domain` or a login, and the URL of ActiveSync there.
    pub fn new(rules: impl IntoIterator<Item = (String, Url)>) -> Self {
        let rule = |(logins, url): (String, Url)| (Logins::read(&logins), url);
        Self(rules.into_iter().map(rule).collect())
    }

    /// Where this login belongs; `None`: nobody says.
    pub fn of_login(&self, login: &str) -> Option<&Url> {
        let login = login.to_lowercase();
        self.first(|logins| match logins {
            Logins::Everybody => true,
            Logins::Domain(domain) => domain_of(&login) == Some(domain),
            Logins::One(one) => *one == login,
        })
    }

    /// Where all of the domain of an address belong. What is said of single logins does not show here, since this is answered
    /// to anybody.
    pub fn of_domain(&self, address: &str) -> Option<&Url> {
        let address = address.to_lowercase();
        self.first(|logins| match logins {
            Logins::Everybody => true,
            Logins::Domain(domain) => domain_of(&address) == Some(domain),
            Logins::One(_) => false,
        })
    }

    fn first(&self, fits: impl Fn(&Logins) -> bool) -> Option<&Url> {
        let rule = self.0.iter().find(|(logins, _)| fits(logins));
        rule.map(|(_, url)| url)
    }
}

impl Logins {
    fn read(text: &str) -> Self {
        let text = text.to_lowercase();
        match (text.as_str(), text.strip_prefix("*@")) {
            ("*", _) => Self::Everybody,
            (_, Some(domain)) => Self::Domain(domain.to_owned()),
            _ => Self::One(text),
        }
    }
}

fn domain_of(login: &str) -> Option<&str> {
    login.rsplit_once('@').map(|(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits() {
        let rules = [
            ("Anna@a.example", "https://one.example/"),
            ("*@A.example", "https://domain.example/"),
            ("carl", "https://carl.example/"),
        ];
        let rules = rules.map(|(logins, url)| (logins.to_owned(), url.parse().unwrap()));
        let some = Redirects::new(rules.clone());
        let all = Redirects::new(
            rules
                .into_iter()
                .chain([("*".to_owned(), "https://all.example/".parse().unwrap())]),
        );
        // login, what the rules say, what is said of the domain
        let cases = [
            ("anna@a.example", Some("one"), Some("domain")),
            ("ANNA@A.EXAMPLE", Some("one"), Some("domain")),
            ("berta@a.example", Some("domain"), Some("domain")),
            ("berta@b.a.example", None, None),
            ("carl", Some("carl"), None),
            ("carl@c.example", None, None),
            ("", None, None),
        ];
        let url = |name: &str| format!("https://{name}.example/");
        for (login, of_login, of_domain) in cases {
            let found = |found: Option<&Url>| found.map(|url| url.as_str().to_owned());
            assert_eq!(found(some.of_login(login)), of_login.map(url), "{login}");
            assert_eq!(found(some.of_domain(login)), of_domain.map(url), "{login}");
            assert_eq!(
                found(all.of_login(login)),
                Some(url(of_login.unwrap_or("all"))),
                "{login}"
            );
            assert_eq!(
                found(all.of_domain(login)),
                Some(url(of_domain.unwrap_or("all"))),
                "{login}"
            );
        }
    }
}
