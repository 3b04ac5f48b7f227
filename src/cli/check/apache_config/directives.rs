//! Reads the configuration of an Apache: its directives in their order, each with its place and the sections around it.
//!
//! As much of the syntax as tells what is forwarded where: comments, continued lines, quotes, sections, and files that are
//! included. Conditions (`IfModule`, `IfDefine`) count as true. Implements the Apache HTTP Server documentation,
//! "Configuration Files".

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Includes within includes, at most.
const DEEPEST: usize = 16;

/// Files of one configuration, at most.
const MOST_FILES: usize = 1000;

/// Bytes of the largest file.
const LARGEST: u64 = 4 << 20;

/// Where a configuration begins, below the directory of one.
const BEGINNINGS: [&str; 3] = ["apache2.conf", "httpd.conf", "conf/httpd.conf"];

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// `FILE, line 7`.
    pub(super) place: String,
    /// In lower case.
    pub(super) name: String,
    /// Without quotes.
    pub(super) arguments: Vec<String>,
    pub(super) scope: Scope,
}

/// The sections around a directive, as far as they matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The number of the virtual host, from 1; 0 outside of all.
    pub(super) host: usize,
    /// The path of `Location` or `LocationMatch`.
    pub(super) location: Option<String>,
    /// What stands in `Proxy`.
    pub(super) proxy: Option<String>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Directives {
    pub(super) directives: Vec<Directive>,
    pub(super) files: usize,
    hosts: usize,
    /// What relative names of files are relative to.
    root: PathBuf,
}

impl Directives {
    /// Of a file with all that it includes, or of a directory: from its beginning if it has one, else all its `*.conf`.
    pub(super) fn read(place: &Path) -> io::Result<Self> {
        let mut read = Self::default();
        if !place.is_dir() {
            read.root = place.parent().map(Path::to_owned).unwrap_or_default();
            read.file(place, &mut Vec::new(), 0)?;
            return Ok(read);
        }
        read.root = place.to_owned();
        let beginning = BEGINNINGS
            .iter()
            .map(|name| place.join(name))
            .find(|file| file.is_file());
        let files = match beginning {
            Some(file) => vec![file],
            None => expand(&place.join("*.conf")),
        };
        for file in files {
            read.file(&file, &mut Vec::new(), 0)?;
        }
        Ok(read)
    }

    /// `sections` are those that are open where the file is included, each with its name in lower case.
    fn file(&mut self, file: &Path, sections: &mut Vec<(String, Scope)>, depth: usize) -> io::Result<()> {
        if depth > DEEPEST || self.files >= MOST_FILES {
            return Err(io::Error::other("too many files include each other"));
        }
        self.files += 1;
        let length = fs::metadata(file).map_err(|error| named(file, &error))?.len();
        if length > LARGEST {
            return Err(named(file, &io::Error::other("it is too large for a configuration")));
        }
        let text = fs::read(file).map_err(|error| named(file, &error))?;
        let text = String::from_utf8_lossy(&text);
        let outside = sections.len();
        for (number, line) in lines(&text) {
            let words = words(&line);
            let Some((first, arguments)) = words.split_first() else {
                continue;
            };
            if let Some(name) = first.strip_prefix("</") {
                close(sections, outside, name.trim_end_matches('>'));
            } else if let Some(name) = first.strip_prefix('<') {
                self.open(sections, name.trim_end_matches('>'), arguments);
            } else {
                let directive = Directive {
                    place: format!("{}, line {number}", file.display()),
                    name: first.to_ascii_lowercase(),
                    arguments: arguments.to_vec(),
                    scope: sections.last().map(|(_, scope)| scope.clone()).unwrap_or_default(),
                };
                self.directive(directive, sections, depth)?;
            }
        }
        sections.truncate(outside);
        Ok(())
    }

    fn directive(&mut self, directive: Directive, sections: &mut Vec<(String, Scope)>, depth: usize) -> io::Result<()> {
        match (directive.name.as_str(), directive.arguments.first()) {
            ("serverroot", Some(root)) => self.root = PathBuf::from(root),
            ("include" | "includeoptional", Some(pattern)) => {
                for file in expand(&self.root.join(pattern)) {
                    self.file(&file, sections, depth + 1)?;
                }
            }
            _ => self.directives.push(directive),
        }
        Ok(())
    }

    fn open(&mut self, sections: &mut Vec<(String, Scope)>, name: &str, arguments: &[String]) {
        let name = name.to_ascii_lowercase();
        let mut scope = sections.last().map(|(_, scope)| scope.clone()).unwrap_or_default();
        // <Location ~ "regex"> has its path in the second place.
        let argument = arguments.iter().find(|argument| *argument != "~");
        let argument = argument.map(|argument| argument.trim_end_matches('>').to_owned());
        match name.as_str() {
            "virtualhost" => {
                self.hosts += 1;
                scope.host = self.hosts;
            }
            "location" | "locationmatch" => scope.location = argument,
            "proxy" => scope.proxy = argument,
            _ => {}
        }
        sections.push((name, scope));
    }
}

/// Closes the innermost section of that name; a file closes none that it did not open.
fn close(sections: &mut Vec<(String, Scope)>, outside: usize, name: &str) {
    let position = sections.iter().rposition(|(open, _)| open.eq_ignore_ascii_case(name));
    if let Some(position) = position.filter(|position| *position >= outside) {
        sections.truncate(position);
    }
}

fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

/// Lines that hold something, continued ones put together, each with the number of its first.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, mut whole) = begun.take().unwrap_or((index + 1, String::new()));
        let (line, continues) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        whole.push_str(line);
        match continues {
            true => begun = Some((number, whole)),
            false => lines.push((number, whole)),
        }
    }
    lines.extend(begun);
    lines.retain(|(_, line)| !matches!(line.trim_start().chars().next(), None | Some('#')));
    lines
}

/// The words of a line; quotes hold blanks together and go.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The files that a name with `*` and `?` stands for, in their order; a directory stands for its files.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str().to_string_lossy();
        if !name.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        }
        found = found
            .iter()
            .flat_map(|path| below(path))
            .filter(|path| {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                !file.starts_with('.') && is_like(&name, &file)
            })
            .collect();
    }
    let mut files: Vec<PathBuf> = found
        .into_iter()
        .flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Whether a name is what a pattern stands for.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // For each beginning of the name, whether the pattern so far stands for it.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for sign in pattern {
        let before = reached.clone();
        let mut any = false;
        for (index, now) in reached.iter_mut().enumerate() {
            let shorter = index.checked_sub(1);
            let last = shorter.and_then(|shorter| name.get(shorter));
            let follows = shorter
                .and_then(|shorter| before.get(shorter))
                .copied()
                .unwrap_or(false);
            any |= before.get(index).copied().unwrap_or(false);
            *now = match sign {
                '*' => any,
                '?' => follows,
                sign => follows && last == Some(&sign),
            };
        }
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        // pattern, name, whether it is meant
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", true),
            ("*.conf", "a.conf.bak", false),
            ("00?-*", "001-ox", true),
            ("00?-*", "00-ox", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
        ] {
            assert_eq!(is_like(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn words_and_lines() {
        let text = "# no\n\n  ProxyPass \"/a b\" \\\n   ajp://h:1/ secret='x y'\nEnd";
        let lines = lines(text);
        assert_eq!(lines.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 5]);
        let expected = ["ProxyPass", "/a b", "ajp://h:1/", "secret=x y"];
        assert_eq!(words(&lines[0].1), expected);
    }

    #[test]
    fn files_include_others_and_sections_go_around_them() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write(
            "apache2.conf",
            "Timeout 300\n<IfModule x>\nInclude sites/*.conf\n</IfModule>\nProxyTimeout 9\n",
        );
        write(
            "sites/b.conf",
            "<VirtualHost *:443>\nInclude lines\nTimeout 5\n</VirtualHost>\n",
        );
        write("sites/a.conf", "<VirtualHost *:80>\n</VirtualHost>\n</IfModule>\n");
        write("sites/c.bak", "Timeout 1\n");
        write("lines", "<Location \"/x\">\nProxyPass ajp://h/\n");
        let read = Directives::read(directory.path()).unwrap();
        let found: Vec<_> = read
            .directives
            .iter()
            .map(|d| (d.name.as_str(), d.scope.host, d.scope.location.as_deref()))
            .collect();
        let expected = [
            ("timeout", 0, None),
            ("proxypass", 2, Some("/x")),
            ("timeout", 2, None),
            ("proxytimeout", 0, None),
        ];
        assert_eq!(found, expected);
        assert!(read.directives[1].place.ends_with("lines, line 2"));
        assert_eq!(read.files, 4);
    }

    #[test]
    fn a_file_that_includes_itself_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("httpd.conf"), "Include httpd.conf\n").unwrap();
        assert!(Directives::read(directory.path()).is_err());
        assert!(Directives::read(&directory.path().join("none.conf")).is_err());
    }

    proptest! {
        /// Whatever a file holds, it is read.
        #[test]
        fn no_text_causes_a_panic(text in "[a<>/ \"'\\\\#*\n]{0,60}") {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("httpd.conf"), text).unwrap();
            Directives::read(directory.path()).unwrap();
        }
    }
}
