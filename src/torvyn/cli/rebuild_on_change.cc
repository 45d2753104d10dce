#include "torvyn/cli/rebuild_on_change.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "torvyn/cli/error_view.h"
#include "torvyn/cli/project_build.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {

RebuildOnChange::RebuildOnChange(const Session& session, SourceWatch watch, std::vector<Watched> watched)
    : session_(session), watch_(std::move(watch)), watched_(std::move(watched)), thread_([this] { watch_on(); }) {}

RebuildOnChange::~RebuildOnChange() {
  ending_ = true;
  watch_.stop();
  thread_.join();
}

void RebuildOnChange::watch_on() {
  while (watch_.wait()) build_again();
}

void RebuildOnChange::build_again() {
  std::set<std::filesystem::path> done;  // a component that several nodes have is built once
  std::set<std::filesystem::path> changed;
  for (Watched& one : watched_) {
    if (ending_) return;
    if (done.insert(one.stage.request.output).second) {
      const auto built = build_on_screen(one.stage.request, one.stage.name, session_);
      if (!built) {
        if (!ending_) say(built.error(), fmt::format("{} goes on as it was built before", one.stage.name));
      } else if (!built->up_to_date) {
        changed.insert(one.stage.request.output);
        // A file that is new here may lie in a folder that is, too. One that cannot be watched was said at the beginning.
        if (const Status status = watch_.add(built->inputs); !status) say(status.error(), {});
      }
    }
    if (changed.contains(one.stage.request.output)) take_over(one);
  }
}

void RebuildOnChange::take_over(const Watched& one) const {
  const auto swapped = one.run->swap(one.stage.node, one.stage.component, true);
  if (ending_) return;
  if (!swapped) return say(swapped.error(), fmt::format("{} goes on as it was built before", one.stage.node));
  if (session_.chatty())
    session_.screen.print(fmt::format("{} {}: swapped in, with a pause of {}\n",
                                      session_.screen.palette().good("rebuilt"), one.stage.node,
                                      config::format_duration(swapped->pause_ns)));
}

void RebuildOnChange::say(const Error& error, const std::string& consequence) const {
  Error told = error;
  if (told.detail().consequence.empty()) told.detail().consequence = consequence;
  session_.screen.print(draw_error(told, session_.screen.palette(), session_.options.verbose));
}

}  // namespace torvyn::cli
