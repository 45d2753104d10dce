#include "torvyn/cli/summary_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "torvyn/cli/text.h"
#include "torvyn/config/units.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {
namespace {

using config::format_count;
using config::format_duration;
using config::format_size;
using observability::Fate;
using observability::FateCounts;
using observability::FlowReport;
using observability::FlowState;
using observability::StageReport;
using observability::StreamReport;
using resources::CopyCount;
using resources::CopyKind;

constexpr std::string_view stop_note = "stopped by ";
// With fewer buffers the share that was reused says how short the run was, not how the pool did.
constexpr std::uint64_t buffers_worth_telling = 100;

struct FateWord {
  Fate fate;
  std::string_view word;
};
constexpr std::array<FateWord, observability::fate_count> fate_words = {{
    {Fate::delivered, "delivered"},
    {Fate::filtered, "filtered"},
    {Fate::absorbed, "absorbed"},
    {Fate::skipped, "skipped"},
    {Fate::dropped, "dropped"},
    {Fate::dead_lettered, "dead-lettered"},
    {Fate::failed, "failed"},
    {Fate::cancelled, "cancelled"},
}};

std::string fates_line(const FateCounts& counts) {
  std::string text = format_count(counts.pulled) + " pulled";
  std::string_view joint = " = ";
  for (const auto& [fate, word] : fate_words) {
    if (counts[fate] == 0) continue;
    text += fmt::format("{}{} {}", joint, format_count(counts[fate]), word);
    joint = " + ";
  }
  if (counts.created != 0) text += fmt::format("; {} created", format_count(counts.created));
  return text;
}

std::string ending(const FlowReport& report, const Palette& palette) {
  switch (report.state) {
    case FlowState::completed:
      return palette.good("completed") + " in";
    case FlowState::limited: {
      const auto note =
          std::ranges::find_if(report.notes, [](const auto& text) { return text.starts_with(stop_note); });
      return palette.good(note == report.notes.end() ? "stopped at its limit" : printable(*note)) + " after";
    }
    case FlowState::closed:
      return palette.good("stopped: the reader closed the pipe") + " after";
    case FlowState::interrupted:
      return palette.warning("interrupted") + " after";
    case FlowState::failed:
      return palette.error("failed") + " after";
    case FlowState::cancelled:
      return palette.warning("cancelled") + " after";
    case FlowState::running:
      break;
  }
  return "running for";
}

std::string copies_cell(const StageReport& stage) {
  if (stage.path == "builtin") return "-";
  struct Kind {
    CopyKind kind;
    std::string_view word;
  };
  static constexpr std::array<Kind, resources::copy_kind_count> kinds = {{
      {CopyKind::guest_read, "read"},
      {CopyKind::guest_write, "written"},
      {CopyKind::host_clone, "cloned"},
      {CopyKind::host_gather, "gathered"},
  }};
  std::string text;
  for (const auto& [kind, word] : kinds) {
    const CopyCount& count = stage.copies[static_cast<std::size_t>(kind)];
    if (count.copies == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : " + ", format_count(count.copies), word);
  }
  if (text.empty()) return "0";
  return text + ", " + format_size(stage.copies_total().bytes);
}

// "direct ×4": four instances side by side; "direct, parallel": one beside its flow.
std::string path_cell(const StageReport& stage) {
  if (stage.instances > 1) return fmt::format("{} ×{}", stage.path, stage.instances);
  return stage.parallel ? stage.path + ", parallel" : stage.path;
}

std::string stages_table(const FlowReport& report, bool verbose) {
  const bool restarted = std::ranges::any_of(report.stages, [](const auto& stage) { return stage.restarts != 0; });
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"stage", "path", "in", "out", "errors"});
  if (restarted) rows.back().emplace_back("restarts");
  rows.back().insert(rows.back().end(), {"p50", "p99"});
  if (verbose) rows.back().insert(rows.back().end(), {"time", "memory"});
  rows.back().emplace_back("copies");
  for (const StageReport& stage : report.stages) {
    const bool worked = stage.elements_in != 0 || stage.elements_out != 0;
    rows.push_back({printable(stage.node), path_cell(stage),
                    stage.role == "source" ? "-" : format_count(stage.elements_in),
                    stage.role == "sink" && stage.elements_out == 0 ? "-" : format_count(stage.elements_out),
                    format_count(stage.errors)});
    if (restarted) rows.back().push_back(format_count(stage.restarts));
    rows.back().push_back(worked ? format_duration(stage.p50_ns) : "-");
    rows.back().push_back(worked ? format_duration(stage.p99_ns) : "-");
    if (verbose) {
      rows.back().push_back(format_duration(stage.time_ns));
      rows.back().push_back(stage.memory_bytes == 0 ? "-" : format_size(stage.memory_bytes));
    }
    rows.back().push_back(copies_cell(stage));
  }
  return aligned(rows);
}

// "split", "route.errors": the port every node has needs no mention.
std::string end_name(std::string_view end, std::string_view usual_port) {
  if (end.ends_with(usual_port)) end.remove_suffix(usual_port.size());
  return printable(end);
}

std::string stream_name(const StreamReport& stream) {
  return end_name(stream.from, ".output") + " → " + end_name(stream.to, ".input");
}

std::string times(std::uint64_t count) { return count == 1 ? "once" : format_count(count) + " times"; }

// Empty where there is none to show.
std::string streams_table(const FlowReport& report, bool verbose) {
  std::vector<std::vector<std::string>> rows;
  for (const StreamReport& stream : report.streams) {
    if (!verbose && stream.dropped == 0) continue;
    if (rows.empty()) rows.push_back({"stream", "elements", "dropped", "peak", "backpressure"});
    rows.push_back({stream_name(stream), format_count(stream.transferred), format_count(stream.dropped),
                    format_count(stream.depth_max),
                    stream.backpressure_events == 0 ? "-"
                                                    : fmt::format("{}, {}", times(stream.backpressure_events),
                                                                  format_duration(stream.backpressure_ns))});
  }
  return rows.empty() ? std::string() : aligned(rows);
}

std::string skipped_error(const Error& error) {
  const ErrorDetail& detail = error.detail();
  std::string text;
  if (!detail.node.empty()) text += printable(detail.node) + ", ";
  if (detail.element) text += fmt::format("element {}, ", format_count(*detail.element));
  return text + printable(error.message());
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", format_count(count), count == 1 ? one : many);
}

// What the tables have no column for.
void add_mishaps(const FlowReport& report, std::vector<std::string>& parts) {
  constexpr std::string_view dead_letter_port = ".dead-letter";
  for (const StreamReport& stream : report.streams) {
    if (report.fates[Fate::dead_lettered] == 0 || stream.transferred == 0 || !stream.from.ends_with(dead_letter_port))
      continue;
    parts.push_back(fmt::format("{} from {} to {}", counted(stream.transferred, "dead letter", "dead letters"),
                                end_name(stream.from, dead_letter_port), end_name(stream.to, ".input")));
  }
  for (const StageReport& stage : report.stages) {
    if (stage.state_lost != 0)
      parts.push_back(fmt::format("{} lost {} it had taken in", printable(stage.node),
                                  counted(stage.state_lost, "element", "elements")));
    if (stage.swaps != 0)
      parts.push_back(fmt::format("{} swapped {}, paused {}{}", printable(stage.node), times(stage.swaps),
                                  stage.swaps == 1 ? "" : "up to ", format_duration(stage.swap_pause_ns)));
    if (stage.rests != 0)
      parts.push_back(fmt::format("{} rested {} for its max_cpu, {}", printable(stage.node), times(stage.rests),
                                  format_duration(stage.rested_ns)));
  }
}

// As many to a line as can be read at a glance. Each line with its end.
std::string joined(const std::vector<std::string>& parts) {
  constexpr std::size_t columns_max = 110;
  constexpr std::string_view joint = " · ";
  std::string text;
  std::size_t columns = 0;
  for (const std::string& part : parts) {
    const std::size_t wide = display_width(part);
    const bool fits = columns + display_width(joint) + wide <= columns_max;
    if (!text.empty()) text += fits ? joint : "\n";
    columns = text.empty() || !fits ? wide : columns + display_width(joint) + wide;
    text += part;
  }
  return text.empty() ? text : text + '\n';
}

std::string remarks(const FlowReport& report) {
  std::vector<std::string> parts;
  std::uint64_t allocated = 0;
  std::uint64_t reused = 0;
  for (const auto& tier : report.pools.tiers) {
    allocated += tier.allocated;
    reused += tier.reused;
  }
  // Rounded down: 100 % is all of them.
  if (allocated >= buffers_worth_telling) parts.push_back(fmt::format("buffers {} % reused", reused * 100 / allocated));
  if (report.p99_ns != 0)
    parts.push_back(
        fmt::format("latency {} p50, {} p99", format_duration(report.p50_ns), format_duration(report.p99_ns)));
  add_mishaps(report, parts);
  if (!report.skipped.empty()) parts.push_back("first error: " + skipped_error(report.skipped.front()));
  for (const std::string& note : report.notes) {
    const bool told_elsewhere = report.error && report.error->detail().consequence.contains(note);
    if (!note.starts_with(stop_note) && !told_elsewhere) parts.push_back(printable(note));
  }
  return joined(parts);
}

}  // namespace

std::string draw_summary(const FlowReport& report, const Palette& palette, const SummaryOptions& options) {
  const std::string name = options.named ? palette.strong(printable(report.name)) + " " : std::string();
  const std::string restarted = report.restarts == 0 ? "" : ", restarted " + times(report.restarts);
  std::string text = fmt::format("{}{} {}{}: {}\n", name, ending(report, palette), format_duration(report.duration_ns),
                                 restarted, fates_line(report.fates));
  if (!report.stages.empty()) text += stages_table(report, options.verbose);
  text += streams_table(report, options.verbose);
  text += remarks(report);
  if (options.verbose)
    for (const Error& error : report.skipped)
      text += " " + palette.faint("skipped") + " " + skipped_error(error) + '\n';
  return text;
}

}  // namespace torvyn::cli
