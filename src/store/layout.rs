//! The seven tables, and how a table is recognised as ours.
//!
//! The definitions are the files in `sql/`, one a table and dialect; nothing else knows a column's type. The names are
//! those of the installation guide, which other products used before with layouts of their own, so a table is used
//! only when its columns have the names and types of its file.

use super::error::Error;

/// A table and its definitions.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    mysql: &'static str,
    sqlite: &'static str,
}

/// Which of the definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Mysql,
    Sqlite,
}

impl Table {
    pub(super) fn definition(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Mysql => self.mysql,
            Dialect::Sqlite => self.sqlite,
        }
    }
}

macro_rules! tables {
    ($($name:literal),+) => {
        /// Every table of the store.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: $name,
            mysql: include_str!(concat!("../../sql/mysql/", $name, ".sql")),
            sqlite: include_str!(concat!("../../sql/sqlite/", $name, ".sql")),
        }),+];
        /// Their names, in the order in which the installation guide drops them.
        pub(super) const PURGE_ORDER: &[&str] = &[$($name),+];
    };
}

tables!(
    "USMSessionFields",
    "usmSessionIdSequenceTable",
    "USMDataStorage",
    "usmIdMapping",
    "usmIdSequenceTable",
    "easUIDMapping",
    "USMSession"
);

/// The names of the tables whose rows belong to one device; the device itself comes last.
pub(super) fn of_session() -> impl Iterator<Item = &'static str> {
    let names_session = |table: &&Table| columns_of(table.sqlite).iter().any(|c| c.starts_with("usmSessionId "));
    TABLES.iter().filter(names_session).map(|table| table.name)
}

/// A column that a database reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) kind: String,
}

/// The tables that do not exist yet. `columns` are those of all tables with our names, in the order of each table.
pub(super) fn missing(place: &str, dialect: Dialect, columns: &[Column]) -> Result<Vec<&'static Table>, Error> {
    let mut missing = Vec::new();
    for table in TABLES {
        // A server may fold the case of table names.
        let of_table = columns.iter().filter(|c| c.table.eq_ignore_ascii_case(table.name));
        let found: Vec<String> = of_table.map(|c| describe(&c.name, &c.kind)).collect();
        if found.is_empty() {
            missing.push(table);
            continue;
        }
        let expected = columns_of(table.definition(dialect));
        if found != expected {
            return Err(Error::Foreign {
                place: place.to_owned(),
                table: table.name.to_owned(),
                reason: format!("it has the columns {}, not {}", found.join(", "), expected.join(", ")),
            });
        }
    }
    Ok(missing)
}

/// The columns of a definition, each as [`describe`] writes it. Our files have one column a line.
fn columns_of(definition: &str) -> Vec<String> {
    let column = |line: &str| {
        let (name, rest) = line.trim().split_once(' ')?;
        let (kind, _) = rest.split_once(" NOT NULL")?;
        Some(describe(name, kind))
    };
    definition.lines().filter_map(column).collect()
}

/// `name type` in the one spelling that all server releases are brought to.
fn describe(name: &str, kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    // Servers before MySQL 8.0.19, and MariaDB, add a display width to integers: int(10) unsigned.
    let kind = match (kind.split_once('('), kind.split_once(')')) {
        (Some((base, _)), Some((_, rest))) if base.ends_with("int") => format!("{base}{rest}"),
        _ => kind,
    };
    format!("{name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(table: &str, columns: &[(&str, &str)]) -> Vec<Column> {
        let column = |&(name, kind): &(&str, &str)| Column {
            table: table.into(),
            name: name.into(),
            kind: kind.into(),
        };
        columns.iter().map(column).collect()
    }

    #[test]
    fn every_definition_begins_with_cid_in_table_and_key() {
        for table in TABLES {
            for dialect in [Dialect::Mysql, Dialect::Sqlite] {
                let definition = table.definition(dialect);
                assert!(definition.contains(&format!("CREATE TABLE IF NOT EXISTS {} (\n", table.name)));
                assert!(columns_of(definition)[0].starts_with("cid int"), "{definition}");
                assert!(definition.contains("PRIMARY KEY (cid"), "{definition}");
            }
        }
    }

    #[test]
    fn both_dialects_have_the_same_columns() {
        let names = |definition| -> Vec<String> {
            let columns = columns_of(definition);
            columns
                .iter()
                .map(|c| c.split(' ').next().unwrap().to_owned())
                .collect()
        };
        for table in TABLES {
            assert_eq!(names(table.mysql), names(table.sqlite), "{}", table.name);
        }
    }

    /// Each case: how servers of different releases report one and the same table.
    #[test]
    fn our_table_is_recognised_in_every_spelling() {
        for (name, int) in [
            ("usmSessionIdSequenceTable", "int unsigned"),
            ("usmSessionIdSequenceTable", "int(10) unsigned"),
            ("usmsessionidsequencetable", "INT(11) unsigned"),
        ] {
            let columns = reported(name, &[("cid", int), ("id", int)]);
            let missing = missing("here", Dialect::Mysql, &columns).unwrap();
            assert_eq!(missing.len(), TABLES.len() - 1);
            assert!(missing.iter().all(|t| t.name != "usmSessionIdSequenceTable"));
        }
    }

    #[test]
    fn a_foreign_table_is_named_with_the_way_out() {
        for columns in [
            &[("cid", "int(10) unsigned")][..],
            &[("cid", "int(10) unsigned"), ("id", "bigint(20) unsigned")],
            &[("id", "int unsigned"), ("cid", "int unsigned")],
        ] {
            let columns = reported("usmSessionIdSequenceTable", columns);
            let error = missing("here", Dialect::Mysql, &columns).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Foreign { .. }));
            for part in [
                "usmSessionIdSequenceTable in the database here",
                "stop the service",
                "easUIDMapping, USMSession",
            ] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
