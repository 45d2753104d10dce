#include "torvyn/reactor/lineage_book.h"

#include <algorithm>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

void LineageBook::keep_acks(AckBook& acks, std::vector<std::size_t> sources, std::vector<std::size_t> aggregators) {
  acks_ = &acks;
  ack_source_ = std::move(sources);
  ack_aggregator_ = std::move(aggregators);
}

// A run that is longer than a page takes several.
void LineageBook::open_pages(const Page& heading, std::span<Element> elements) {
  for (std::size_t first = 0; first < elements.size(); first += page_lines) {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(page_lines, elements.size() - first));
    std::uint32_t index = free_;
    if (index == no_page) {
      index = static_cast<std::uint32_t>(pages_.size());
      pages_.emplace_back();
    } else {
      free_ = pages_[index].next_free;
    }
    Page& page = pages_[index];
    page.entered_ns = heading.entered_ns;
    page.first_number = heading.first_number + first;
    page.open = count;
    page.node = heading.node;
    page.generation = heading.generation;
    page.created = heading.created;
    const LineageId id = index * page_lines;
    for (std::uint32_t i = 0; i < count; ++i) page.lines[i] = {.branches = 1, .worst = Fate::filtered};
    for (std::uint32_t i = 0; i < count; ++i) elements[first + i].lineage = id + i;
  }
}

void LineageBook::open(std::uint16_t node, std::uint64_t number, std::span<Element> pulled, std::uint64_t now_ns) {
  counts_.pulled += pulled.size();
  Page heading;
  heading.entered_ns = now_ns;
  heading.first_number = number;
  heading.node = node;
  open_pages(heading, pulled);
}

void LineageBook::open_created(std::uint16_t node, std::span<Element> created, std::uint64_t now_ns) {
  counts_.created += created.size();
  if (acks_ == nullptr || created.empty()) {
    for (Element& element : created) element.lineage = no_lineage;
    return;
  }
  Page heading;
  heading.entered_ns = now_ns;
  heading.node = node;
  heading.generation = acks_->create(ack_aggregator_[node], created.size());
  heading.created = true;
  open_pages(heading, created);
}

LineageBook::Entry LineageBook::entry(LineageId id) const noexcept {
  const Page& page = pages_[id / page_lines];
  return {.entered_ns = page.entered_ns,
          .number = page.first_number + id % page_lines,
          .node = page.node,
          .created = page.created};
}

void LineageBook::absorb(std::uint16_t node, std::span<const Element> taken) noexcept {
  if (acks_ != nullptr) acks_->begin_call(ack_aggregator_[node]);
  for (const Element& element : taken) {
    if (acks_ != nullptr && element.lineage != no_lineage) {
      const Entry entry = this->entry(element.lineage);
      // What another aggregator made and this one took is settled for the first, as if a sink had taken it: holds don't add up.
      if (!entry.created && ack_source_[entry.node] != nowhere)
        acks_->absorb(ack_aggregator_[node], ack_source_[entry.node], entry.number);
    }
    end(element.lineage, Fate::absorbed);
  }
}

void LineageBook::close(LineageId id, Fate fate) noexcept {
  Page& page = pages_[id / page_lines];
  if (!page.created) {
    ++counts_.fates[static_cast<std::size_t>(fate)];
    ++closed_;
  }
  if (acks_ != nullptr) {
    if (page.created) {
      acks_->settle_created(ack_aggregator_[page.node], page.generation);
    } else if (ack_source_[page.node] != nowhere) {
      acks_->settle(ack_source_[page.node], page.first_number + id % page_lines);
    }
    news_ = true;
  }
  if (--page.open != 0) return;
  page.next_free = free_;
  free_ = id / page_lines;
}

void LineageBook::descend(std::span<const Element> taken, std::span<const Element> made) noexcept {
  // Nearly always one output an input: nothing begins and nothing ends.
  std::size_t alike = 0;
  while (alike < taken.size() && alike < made.size() && taken[alike].lineage == made[alike].lineage) ++alike;
  if (alike == taken.size() && alike == made.size()) return;
  for (const Element& element : made.subspan(alike)) branch(element.lineage, 1);
  for (const Element& element : taken.subspan(alike)) end(element.lineage, Fate::filtered);
}

}  // namespace torvyn::reactor
