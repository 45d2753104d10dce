#include "torvyn/config/nearest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace torvyn::config {
namespace {

constexpr std::size_t text_bytes_max = 64;              // names are short; this bounds the work for a hostile one
constexpr std::size_t row_length = 2 * text_bytes_max;  // a candidate in reach of such a text is shorter than this

using Row = std::array<std::size_t, row_length>;

// Edits from `a` to `b`; a swap of neighbours is one. Three rows of the usual table are alive at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  Row rows[3];
  Row* before_last = &rows[0];
  Row* last = &rows[1];
  Row* current = &rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j) (*last)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    (*current)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = (*last)[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      std::size_t best = std::min({replaced, (*last)[j] + 1, (*current)[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, (*before_last)[j - 2] + 1);
      }
      (*current)[j] = best;
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return (*last)[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates) {
  if (text.empty() || text.size() > text_bytes_max) return {};
  const std::size_t most = std::min(std::max<std::size_t>(2, text.size() / 3), text.size() - 1);
  std::string_view best;
  std::size_t best_distance = most + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t shorter = std::min(text.size(), candidate.size());
    const std::size_t longer = std::max(text.size(), candidate.size());
    if (longer - shorter >= best_distance) continue;
    const std::size_t distance = edit_distance(text, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean_file(const std::filesystem::path& missing) {
  constexpr std::size_t files_max = 1'000;
  const std::filesystem::path folder = missing.parent_path();
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator at(folder.empty() ? "." : folder, error);
  for (const std::filesystem::directory_iterator end; !error && at != end && names.size() < files_max;
       at.increment(error))
    names.push_back(at->path().filename().string());
  // In no order of the file system's own.
  std::ranges::sort(names);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = nearest(missing.filename().string(), candidates);
  if (near.empty()) return {};
  return ", did you mean `" + std::string(near) + "`?";
}

}  // namespace torvyn::config
