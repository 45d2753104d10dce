// The languages a component can be written in, and how a source tells which one it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

enum class Language : std::uint8_t { c, cpp, rust, go, python, javascript };

// In the order they are offered. Static.
std::span<const Language> languages() noexcept;

// "c", "cpp", "rust", …: as a manifest and the command line have it. Static.
std::string_view language_name(Language language) noexcept;
// "C", "C++", "Rust", …: as a person has it. Static.
std::string_view language_title(Language language) noexcept;

// By its name; nothing if there is none of it.
std::optional<Language> find_language(std::string_view name) noexcept;

// What a file is written in, by its ending; nothing for anything but a source.
std::optional<Language> language_of_file(const std::filesystem::path& file);

// What `sources`, files or one folder, are written in. A folder tells by its Cargo.toml, go.mod, pyproject.toml or package.json, else by
// the files directly in it. C and C++ together are C++.
// Errors: E0004 not there; E0006 no source of a known language, or of several.
Result<Language> detect_language(std::span<const std::filesystem::path> sources);

}  // namespace torvyn::contracts
