// Private to contracts: tools that a language needs and machines don't have, fetched from its package index into the cache, pinned by the SDK.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "torvyn/contracts/language_builder.h"
#include "torvyn/contracts/toolchain.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// A tool's folder in the cache. `fill` fetches it into the folder, which counts only once that has succeeded; builds of other processes
// wait for it. In place from the beginning: virtual environments can't be moved. `what`: "componentize-py 0.25.1 (17 MB)".
// Errors: of `fill`; E0004.
Result<std::filesystem::path> cached_tool(const BuildPlan& plan, std::string_view name, std::string_view what,
                                          const std::function<Status(const std::filesystem::path& folder)>& fill);

// A python3 that can make virtual environments. Errors: E0010.
Result<std::string> find_python();

// Makes a virtual environment of `folder` with what the file `requirements` pins, by hash. Errors: E0004, E0010.
Status make_venv(const BuildPlan& plan, const std::filesystem::path& folder, const std::filesystem::path& requirements,
                 std::string_view what);

// The packages that `requirements` pins, unpacked into `folder` by a Python that is no part of it. Errors: E0004, E0010.
Status fetch_python_packages(const BuildPlan& plan, const std::filesystem::path& folder,
                             const std::filesystem::path& requirements, std::string_view what);

// E0010, what the command said shown and `hint` given, where a command that fetches `what` has failed.
Status fetched(const BuildPlan& plan, const Result<CommandResult>& result, std::string_view what, const char* hint);

}  // namespace torvyn::contracts
