#include "torvyn/cli/doctor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <system_error>

#include "torvyn/cli/text.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/config/units.h"
#include "torvyn/contracts/language_tools.h"

namespace torvyn::cli {
namespace {

namespace fs = std::filesystem;

// An instance takes up to three mappings: its memory, its tables, its stack. What the process has beside them fits into the rest.
constexpr std::uint64_t mappings_per_instance = 3;
constexpr std::uint64_t mappings_beside = 4096;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

Finding cache_problem(const fs::path& directory, std::string problem, std::string fix) {
  return {.area = "cache",
          .what = "compiled code",
          .found = directory.string(),
          .problem = std::move(problem),
          .fix = std::move(fix)};
}

// The folder, or the nearest one above it that is there.
fs::path existing(fs::path directory) {
  std::error_code ignored;
  while (!fs::exists(directory, ignored) && directory.has_relative_path()) directory = directory.parent_path();
  return directory.empty() ? fs::path(".") : directory;
}

std::string contents_of(const fs::path& directory) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code unreadable;
    const std::uint64_t size = at->file_size(unreadable);
    if (unreadable) continue;
    ++files;
    bytes += size;
  }
  return fmt::format("{}: {} component{}, {}", directory.string(), files, files == 1 ? "" : "s",
                     config::format_size(bytes));
}

Finding examine_mappings(const fs::path& proc, std::uint64_t instances_max) {
  const std::uint64_t wanted = instances_max * mappings_per_instance + mappings_beside;
  Finding finding{.area = "kernel", .what = "vm.max_map_count", .found = {}, .problem = {}, .fix = {}};
  std::uint64_t count = 0;
  if (!(std::ifstream(proc / "vm" / "max_map_count") >> count)) {
    finding.found = "not told here";
    return finding;
  }
  finding.found = fmt::format(
      "{}, enough for {} components at once", config::format_count(count),
      config::format_count(count > mappings_beside ? (count - mappings_beside) / mappings_per_instance : 0));
  if (count < wanted) {
    finding.problem = fmt::format("{} components at once (max_instances in [runtime]) need {}",
                                  config::format_count(instances_max), config::format_count(wanted));
    finding.fix = fmt::format("sysctl -w vm.max_map_count={}", wanted);
    finding.needs_root = true;
  }
  return finding;
}

Finding examine_address_space(std::uint64_t address_space_max, std::uint64_t instances_max) {
  Finding finding{.area = "kernel", .what = "address space", .found = {}, .problem = {}, .fix = {}};
  const std::uint64_t wanted =
      std::min<std::uint64_t>(instances_max, config::pooled_instances_max) * config::pooled_instance_bytes;
  finding.found = address_space_max == unlimited ? "not limited" : config::format_size(address_space_max);
  if (address_space_max < wanted)
    finding.problem = fmt::format(
        "the pool of {} instances reserves {}; raise it with `ulimit -v unlimited` in the shell that starts torvyn, or "
        "lower "
        "max_instances in [runtime]",
        std::min<std::uint64_t>(instances_max, config::pooled_instances_max), config::format_size(wanted));
  return finding;
}

}  // namespace

std::vector<Finding> examine_language(std::string_view language, bool needed) {
  std::vector<Finding> findings;
  for (contracts::ToolCheck& check : contracts::check_tools(language))
    findings.push_back({.area = std::string(language),
                        .what = std::move(check.tool),
                        .found = std::move(check.found),
                        .problem = std::move(check.problem),
                        .fix = std::move(check.install),
                        .needs_root = check.needs_root,
                        .needed = needed});
  return findings;
}

Finding examine_cache(const fs::path& directory) {
  if (directory.empty())
    return cache_problem(directory, "there is no folder for it: neither TORVYN_HOME nor XDG_CACHE_HOME nor HOME is set",
                         "");
  struct stat status{};
  if (::lstat(directory.c_str(), &status) != 0 && errno == ENOENT) {
    const fs::path above = existing(directory);
    if (::access(above.c_str(), W_OK | X_OK) != 0)
      return cache_problem(directory, fmt::format("it cannot be made: `{}` is not yours to write to", above.string()),
                           "");
    return {.area = "cache",
            .what = "compiled code",
            .found = directory.string() + ": not there yet, made by the first run",
            .problem = {},
            .fix = {}};
  }
  if (::stat(directory.c_str(), &status) != 0)
    return cache_problem(directory, fmt::format("it cannot be looked at: {}", std::strerror(errno)), "");
  if (!S_ISDIR(status.st_mode))
    return cache_problem(directory, "it is no folder, so nothing is kept",
                         fmt::format("rm {}", shell_quoted(directory.string())));
  if (status.st_uid != ::geteuid())
    return cache_problem(directory, "it belongs to somebody else, and code in it would be run", "");
  if ((status.st_mode & 077U) != 0)
    return cache_problem(directory, "others may use it, and code in it would be run",
                         fmt::format("chmod 700 {}", shell_quoted(directory.string())));
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
    return cache_problem(directory, fmt::format("it cannot be written: {}", std::strerror(errno)),
                         fmt::format("chmod 700 {}", shell_quoted(directory.string())));
  return {.area = "cache", .what = "compiled code", .found = contents_of(directory), .problem = {}, .fix = {}};
}

std::vector<Finding> examine_kernel(const fs::path& proc, std::uint64_t address_space_max,
                                    std::uint64_t instances_max) {
  return {examine_mappings(proc, instances_max), examine_address_space(address_space_max, instances_max)};
}

std::vector<const Finding*> to_fix(std::span<const Finding> findings) {
  const auto is_wrong = [](const Finding& finding) { return finding.needed && !finding.ok(); };
  const bool needed_alone = std::ranges::any_of(findings, is_wrong);
  std::vector<const Finding*> commands;
  for (const Finding& finding : findings) {
    if (finding.ok() || finding.fix.empty() || (needed_alone && !finding.needed)) continue;
    const auto same = [&finding](const Finding* other) { return other->fix == finding.fix; };
    if (std::ranges::none_of(commands, same)) commands.push_back(&finding);
  }
  return commands;
}

std::string draw_findings(std::span<const Finding> findings, const Palette& palette) {
  std::size_t area_width = 0;
  std::size_t what_width = 0;
  for (const Finding& finding : findings) {
    area_width = std::max(area_width, finding.area.size());
    what_width = std::max(what_width, finding.what.size());
  }
  std::string text;
  std::string_view last_area;
  for (const Finding& finding : findings) {
    const std::string_view area = finding.area == last_area ? std::string_view() : finding.area;
    last_area = finding.area;
    // Coloured words are padded before they are coloured.
    const std::string state = finding.ok()     ? palette.good("ok     ")
                              : finding.needed ? palette.error("missing")
                                               : palette.warning("missing");
    text += fmt::format(" {}  {:<{}}  {}\n", palette.strong(fmt::format("{:<{}}", area, area_width)), finding.what,
                        what_width,
                        fmt::format("{}  {}", state, printable(finding.ok() ? finding.found : finding.problem)));
    const std::string indent(area_width + what_width + 5, ' ');
    if (!finding.ok() && !finding.found.empty())
      text += fmt::format("{}{:<7}  {}\n", indent, "found", printable(finding.found));
    if (!finding.fix.empty()) text += fmt::format("{}{:<7}  {}\n", indent, "fix", printable(finding.fix));
  }
  return text;
}

}  // namespace torvyn::cli
