//! From a folder on disk (or inside the binary) to [`PackageFiles`].

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use yingda_dsl::diagnostic::Lang;
use yingda_dsl::source::PackageFiles;

use crate::cause::io_cause;
use crate::config::BUILTIN_RETAIL;

static RETAIL: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../rules/retail");
static STARTER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../rules/starter");

/// A whole package may have this many bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Folders below a package.
const MAX_DEPTH: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("no folder {}", .0.display())]
    Missing(PathBuf),
    #[error("{} is a file, not a folder", .0.display())]
    NotFolder(PathBuf),
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: String },
    #[error("no .yd file below {}", .0.display())]
    Empty(PathBuf),
    #[error("{} has more than {} MB", .0.display(), MAX_BYTES / 1024 / 1024)]
    TooLarge(PathBuf),
    #[error("folders below {} are nested more than {MAX_DEPTH} deep", .0.display())]
    TooDeep(PathBuf),
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {cause}", path.display())]
    Unwritable { path: PathBuf, cause: String },
}

impl ReadError {
    /// The sentence for people.
    pub fn sentence(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::Missing(path) => format!(
                "没有「{}」这个文件夹。请检查路径，或用 yingda new 新建一个规则包。",
                path.display()
            ),
            Self::NotFolder(path) => {
                format!(
                    "「{}」是一个文件；规则包是一个文件夹，请给出它所在的文件夹。",
                    path.display()
                )
            }
            Self::Unreadable { path, cause } => {
                format!("读不了「{}」：{cause}。请检查文件权限。", path.display())
            }
            Self::Empty(path) => format!(
                "「{}」里没有 .yd 规则文件。用 yingda new 可以新建一个起步用的规则包。",
                path.display()
            ),
            Self::TooLarge(path) => {
                format!(
                    "读到「{}」时规则包超过了 {} MB。请拆分词库，或删去不用的文件。",
                    path.display(),
                    MAX_BYTES / 1024 / 1024
                )
            }
            Self::TooDeep(path) => format!(
                "「{}」下面的文件夹嵌套超过 {MAX_DEPTH} 层。",
                path.display()
            ),
            Self::Exists(path) => format!(
                "「{}」已经存在，而且不是空的。请换一个名字，或先移走它。",
                path.display()
            ),
            Self::Unwritable { path, cause } => format!("写不了「{}」：{cause}。", path.display()),
        }
    }
}

/// Read a package folder, the folders it imports included, or a built-in one by its name (`builtin:retail`).
pub fn read(folder: &Path) -> Result<PackageFiles, ReadError> {
    if folder == Path::new(BUILTIN_RETAIL) {
        return Ok(builtin());
    }
    let mut files = PackageFiles::default();
    let mut left = MAX_BYTES;
    add_folder(folder, "", 0, &mut files, &mut left)?;
    if !files.files.keys().any(|path| path.ends_with(".yd")) {
        return Err(ReadError::Empty(folder.to_path_buf()));
    }
    let mut read: Vec<String> = Vec::new();
    loop {
        let Some(import) = yingda_dsl::imports(&files)
            .into_iter()
            .find(|import| !read.contains(import))
        else {
            return Ok(files);
        };
        let place = folder.join(&import);
        // A missing import is the checker's to report, with the line that names it.
        if place.is_dir() {
            add_folder(
                &place,
                &format!("{}/", import.trim_end_matches('/')),
                0,
                &mut files,
                &mut left,
            )?;
        }
        read.push(import);
    }
}

/// The demo package that is part of the binary.
pub fn builtin() -> PackageFiles {
    let mut files = PackageFiles::default();
    add_embedded(&RETAIL, &mut files);
    files
}

/// Write the starter package into a new folder; the paths written, in order.
pub fn copy_starter(target: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if target.exists()
        && std::fs::read_dir(target).map_or(true, |mut entries| entries.next().is_some())
    {
        return Err(ReadError::Exists(target.to_path_buf()));
    }
    let mut written = Vec::new();
    write_embedded(&STARTER, target, &mut written)?;
    written.sort();
    Ok(written)
}

fn add_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut PackageFiles,
    left: &mut u64,
) -> Result<(), ReadError> {
    if depth > MAX_DEPTH {
        return Err(ReadError::TooDeep(folder.to_path_buf()));
    }
    let unreadable = |path: &Path, error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing(path.to_path_buf()),
        std::io::ErrorKind::NotADirectory => ReadError::NotFolder(path.to_path_buf()),
        _ => ReadError::Unreadable {
            path: path.to_path_buf(),
            cause: io_cause(&error),
        },
    };
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(folder, error))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let meta = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if meta.is_dir() {
            add_folder(&path, &format!("{prefix}{name}/"), depth + 1, files, left)?;
        } else if belongs(&name) {
            *left = left
                .checked_sub(meta.len())
                .ok_or_else(|| ReadError::TooLarge(path.clone()))?;
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            files.files.insert(format!("{prefix}{name}"), bytes);
        }
    }
    Ok(())
}

/// Files that are part of a package: rules, tables and word lists. Notes (`README.md`) are not.
fn belongs(name: &str) -> bool {
    [".yd", ".csv", ".txt"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn add_embedded(folder: &Dir<'_>, files: &mut PackageFiles) {
    for file in folder.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if belongs(&path) {
            files.files.insert(path, file.contents().to_vec());
        }
    }
    for child in folder.dirs() {
        add_embedded(child, files);
    }
}

fn write_embedded(
    folder: &Dir<'_>,
    target: &Path,
    written: &mut Vec<PathBuf>,
) -> Result<(), ReadError> {
    let unwritable = |path: &Path, error: std::io::Error| ReadError::Unwritable {
        path: path.to_path_buf(),
        cause: io_cause(&error),
    };
    std::fs::create_dir_all(target).map_err(|error| unwritable(target, error))?;
    for file in folder.files() {
        let path = target.join(file.path());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| unwritable(parent, error))?;
        }
        std::fs::write(&path, file.contents()).map_err(|error| unwritable(&path, error))?;
        written.push(path);
    }
    for child in folder.dirs() {
        write_embedded(child, target, written)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_package_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("没有");
        assert_eq!(read(&missing), Err(ReadError::Missing(missing.clone())));
        let file = dir.path().join("a.yd");
        std::fs::write(&file, "").unwrap();
        assert_eq!(read(&file), Err(ReadError::NotFolder(file.clone())));
        let empty = dir.path().join("空");
        std::fs::create_dir(&empty).unwrap();
        assert_eq!(read(&empty), Err(ReadError::Empty(empty.clone())));
    }

    #[test]
    fn the_starter_is_copied_once() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("我的店");
        assert!(!copy_starter(&target).unwrap().is_empty());
        assert!(read(&target).is_ok());
        assert_eq!(copy_starter(&target), Err(ReadError::Exists(target)));
    }
}
