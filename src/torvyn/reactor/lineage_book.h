// What becomes of each element that a source gave: it may be split, copied to several ways and merged, and meets exactly one fate.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "torvyn/observability/flow_report.h"
#include "torvyn/reactor/ack_book.h"
#include "torvyn/resources/element.h"

namespace torvyn::reactor {

using observability::Fate;
using resources::Element;
using resources::LineageId;
using resources::no_lineage;
using resources::Run;

inline constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

// Keeps, of each source element in flight, how many branches of it are under way, and the heaviest fate that one of them met. When the
// last branch ends, that is the element's fate. Elements that came in one pull share a page; a page whose elements have all met their
// fates is used again: memory follows what is in flight, not what has passed.
// Elements of `no_lineage` (made by aggregators) are passed over.
// Thread: one at a time. Allocates nothing once as many were in flight as ever are.
class LineageBook {
 public:
  // What is known of an element in flight.
  struct Entry {
    std::uint64_t entered_ns = 0;  // when its source gave it, monotonic
    std::uint64_t number = 0;      // among those of its source, from 0
    std::uint16_t node = 0;        // index of the source, or of the aggregator that made it
    bool created = false;          // by an aggregator: not among the pulled
  };

  // Keeps `acks`, which outlives the book, informed. `sources` and `aggregators`: of each node, its index among those that want to hear or
  // hold back; `nowhere` for the others. Elements that aggregators make are followed from here on.
  void keep_acks(AckBook& acks, std::vector<std::size_t> sources, std::vector<std::size_t> aggregators);
  std::size_t ack_aggregator(std::size_t node) const noexcept { return ack_aggregator_[node]; }
  bool keeps_acks() const noexcept { return acks_ != nullptr; }
  // Something may be said to a source since this was last asked.
  bool take_news() noexcept { return std::exchange(news_, false); }

  // Elements that a source has just given, the first of them its `number`th: each has one branch.
  void open(std::uint16_t node, std::uint64_t number, std::span<Element> pulled, std::uint64_t now_ns);
  // Those an aggregator made: `no_lineage` where nobody wants to hear of acks.
  void open_created(std::uint16_t node, std::span<Element> created, std::uint64_t now_ns);
  // An aggregator took them.
  void absorb(std::uint16_t node, std::span<const Element> taken) noexcept;

  // `count` more branches.
  void branch(LineageId id, std::uint32_t count) noexcept {
    if (id != no_lineage) line(id).branches += count;
  }
  // Something happened to a branch that goes on.
  void mark(LineageId id, Fate fate) noexcept {
    if (id != no_lineage && line(id).worst < fate) line(id).worst = fate;
  }
  // A branch ends.
  void end(LineageId id, Fate fate) noexcept {
    if (id == no_lineage) return;
    Line& ended = line(id);
    if (ended.worst < fate) ended.worst = fate;
    if (--ended.branches == 0) close(id, ended.worst);
  }
  void end_all(std::span<const Element> elements, Fate fate) noexcept {
    for (const Element& element : elements) end(element.lineage, fate);
  }
  // A stage took `taken` and made `made` of it: what came of each goes on, and those nothing came of end as filtered.
  void descend(std::span<const Element> taken, std::span<const Element> made) noexcept;

  // Requires: `id` is in flight.
  std::uint64_t entered_ns(LineageId id) const noexcept { return pages_[id / page_lines].entered_ns; }
  bool created(LineageId id) const noexcept { return pages_[id / page_lines].created; }
  Entry entry(LineageId id) const noexcept;

  const observability::FateCounts& counts() const noexcept { return counts_; }
  std::uint64_t in_flight() const noexcept { return counts_.pulled - closed_; }

 private:
  static constexpr LineageId page_lines = 64;
  static constexpr std::uint32_t no_page = 0xffffffffU;

  struct Line {
    std::uint32_t branches = 0;
    Fate worst = Fate::filtered;
  };
  struct Page {
    std::array<Line, page_lines> lines;
    std::uint64_t entered_ns = 0;
    std::uint64_t first_number = 0;
    std::uint32_t open = 0;  // lines in flight; of a free page, nothing
    std::uint32_t next_free = no_page;
    std::uint16_t node = 0;
    std::uint8_t generation = 0;  // of what an aggregator made, see AckBook
    bool created = false;
  };

  Line& line(LineageId id) noexcept { return pages_[id / page_lines].lines[id % page_lines]; }
  void open_pages(const Page& heading, std::span<Element> elements);
  void close(LineageId id, Fate fate) noexcept;

  std::vector<Page> pages_;
  std::uint32_t free_ = no_page;
  std::uint64_t closed_ = 0;  // of the pulled
  observability::FateCounts counts_;
  AckBook* acks_ = nullptr;
  std::vector<std::size_t> ack_source_;      // by node
  std::vector<std::size_t> ack_aggregator_;  // by node
  bool news_ = false;
};

}  // namespace torvyn::reactor
