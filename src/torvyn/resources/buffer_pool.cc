#include "torvyn/resources/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "torvyn/resources/free_stack.h"
#include "torvyn/resources/magazine.h"

namespace torvyn::resources {
namespace {

constexpr std::array<std::uint64_t, tier_count> tier_bytes{small_buffer_bytes, medium_buffer_bytes, large_buffer_bytes,
                                                           0};
constexpr std::size_t huge_index = static_cast<std::size_t>(Tier::huge);

Tier tier_for(std::uint64_t bytes) noexcept {
  if (bytes <= small_buffer_bytes) return Tier::small;
  if (bytes <= medium_buffer_bytes) return Tier::medium;
  if (bytes <= large_buffer_bytes) return Tier::large;
  return Tier::huge;
}

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t step) noexcept {
  return (bytes + step - 1) / step * step;
}

constexpr std::uint64_t less(std::uint64_t a, std::uint64_t b) noexcept { return a > b ? a - b : 0; }

// Address space, zero, that costs no memory until it is touched. Null where there is none.
std::byte* map_memory(std::uint64_t bytes) noexcept {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

// Address space that is given back at the end.
class Reservation {
 public:
  Reservation() noexcept = default;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }
  // False: errno says why. Nothing to reserve is fine.
  bool reserve(std::uint64_t bytes) noexcept {
    bytes_ = bytes;
    data_ = bytes == 0 ? nullptr : map_memory(bytes);
    return bytes == 0 || data_ != nullptr;
  }
  std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::uint64_t bytes_ = 0;
};

// The next number below `limit` that nobody has taken.
std::optional<std::uint32_t> take_number(std::atomic<std::uint32_t>& taken, std::uint32_t limit) noexcept {
  std::uint32_t number = taken.load(std::memory_order_relaxed);
  while (number < limit)
    if (taken.compare_exchange_weak(number, number + 1, std::memory_order_relaxed)) return number;
  return std::nullopt;
}

[[gnu::always_inline]] inline void step(BufferHeader& header, BufferAction action) noexcept {
  const auto next = next_state(header.state.load(std::memory_order_relaxed), action);
  TORVYN_ASSERT(next.has_value(), "the pool took a buffer through an illegal step");
  header.state.store(*next, std::memory_order_release);
}

// Generation 0 names nothing, so it is skipped when the count comes round.
void move_generation_on(BufferHeader& header) noexcept {
  const std::uint32_t next = header.generation.load(std::memory_order_relaxed) + 1;
  header.generation.store(next == 0 ? 1 : next, std::memory_order_relaxed);
}

// A magazine holds one buffer of this many of its tier: a run of 64 fits one of the small tier.
constexpr std::uint32_t buffers_per_magazine_slot = 32;
// All magazines of a tier together keep at most this part of it from the other threads.
constexpr std::uint32_t magazines_part = 4;

// One tier's books. What every allocation and release that finds no magazine changes shares a cache line.
struct TierBook {
  alignas(64) FreeStack free;
  std::atomic<std::uint64_t> allocated{0};
  std::atomic<std::uint64_t> returned{0};
  Magazine* magazines = nullptr;  // by the thread's number
  std::uint32_t magazine_count = 0;
  std::uint32_t magazine_slots = 0;    // of each
  alignas(64) FreeStack trimmed;       // free, and their memory given back
  std::atomic<std::uint32_t> made{0};  // buffers to keep that were used for the first time
  std::atomic<std::uint64_t> fallbacks{0};
  std::atomic<std::uint64_t> fallbacks_returned{0};
  std::atomic<std::uint64_t> exhausted{0};
  std::uint32_t kept = 0;
  std::uint32_t first_slot = 0;
  Reservation data;
  Reservation magazine_memory;

  // This thread's magazine, or null where it has none.
  Magazine* magazine() const noexcept {
    if (magazine_count == 0) return nullptr;
    const std::uint32_t number = thread_number();
    return number < magazine_count ? &magazines[number] : nullptr;
  }

  // What all threads have counted together.
  std::uint64_t counted(std::atomic<std::uint64_t> Magazine::* counter,
                        const std::atomic<std::uint64_t>& rest) const noexcept {
    std::uint64_t sum = rest.load(std::memory_order_acquire);
    for (std::uint32_t number = 0; number < magazine_count; ++number)
      sum += (magazines[number].*counter).load(std::memory_order_acquire);
    return sum;
  }
};

}  // namespace

// Slots: the small ones, the medium ones, the large ones, then `extra` ones for huge buffers and one-offs, which come
// and go with their memory. Headers stay where they are as long as the pool lives, so any slot number below
// `slot_count` can be looked at.
struct BufferPool::Impl {
  BufferPool* owner = nullptr;
  PoolOptions options;
  std::array<TierBook, tier_count> tiers;
  Reservation header_memory;
  BufferHeader* headers = nullptr;
  std::uint32_t slot_count = 0;

  std::uint32_t first_extra_slot = 0;
  std::uint32_t extra_count = 0;
  std::atomic<std::uint32_t> extra_used{0};
  alignas(64) FreeStack extra_free;

  std::mutex huge_mutex;
  std::vector<BufferHeader*> huge_free;  // has room for all that are kept; the back was used last
  std::uint32_t huge_kept = 0;           // that exist, free or not

  std::mutex adopted_mutex;
  std::unordered_map<std::uint32_t, std::function<void()>> adopted;  // how to release them, by slot

  TierBook& book(Tier tier) noexcept { return tiers[static_cast<std::size_t>(tier)]; }

  Status reserve();
  AllocateStatus allocate(std::uint64_t capacity_hint, BufferHeader*& header) noexcept;
  void recycle(BufferHeader& header) noexcept;

  BufferHeader* take_kept(Tier tier) noexcept;
  AllocateStatus take_huge(std::uint64_t bytes, BufferHeader*& header) noexcept;
  AllocateStatus make_one_off(Tier tier, std::uint64_t bytes, BufferHeader*& header) noexcept;
  AllocateStatus make(Tier tier, std::uint64_t bytes, bool pooled, BufferHeader*& header) noexcept;
  BufferHeader* take_extra() noexcept;
  AllocateStatus adopt(std::span<const std::byte> bytes, std::function<void()> release, BufferHeader*& header) noexcept;
  void unmake(BufferHeader& header) noexcept;
};

Status BufferPool::Impl::reserve() {
  const auto failed = [](const std::string& why) {
    return fail(ErrorCode::allocation_failed, "cannot reserve address space for the buffer pools: " + why,
                "lower the sizes in `[runtime.pools]`, or raise the process's limit of address space (`ulimit -v`)");
  };
  const auto system_reason = [] { return std::error_code(errno, std::generic_category()).message(); };

  std::uint64_t slots = 0;
  for (std::size_t tier = 0; tier < huge_index; ++tier) {
    tiers[tier].first_slot = static_cast<std::uint32_t>(slots);
    slots += options.kept[tier];
  }
  const std::uint64_t extra = std::uint64_t{one_off_buffers_max} + options.kept[huge_index];
  // A free stack holds slot + 1 in 32 bits.
  if (slots + extra >= std::numeric_limits<std::uint32_t>::max()) return failed("more buffers than there are numbers");
  first_extra_slot = static_cast<std::uint32_t>(slots);
  extra_count = static_cast<std::uint32_t>(extra);
  slot_count = static_cast<std::uint32_t>(slots + extra);

  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    tiers[tier].kept = options.kept[tier];
    if (!tiers[tier].data.reserve(tier_bytes[tier] * options.kept[tier])) return failed(system_reason());
    const std::uint32_t slots_each = std::min(options.kept[tier] / buffers_per_magazine_slot, magazine_slots_max);
    if (tier == huge_index || slots_each == 0) continue;
    TierBook& book = tiers[tier];
    book.magazine_slots = slots_each;
    book.magazine_count = std::min(options.kept[tier] / magazines_part / slots_each, magazine_threads_max);
    if (!book.magazine_memory.reserve(book.magazine_count * sizeof(Magazine))) return failed(system_reason());
    book.magazines = reinterpret_cast<Magazine*>(book.magazine_memory.data());
  }
  if (!header_memory.reserve(std::uint64_t{slot_count} * sizeof(BufferHeader))) return failed(system_reason());
  headers = reinterpret_cast<BufferHeader*>(header_memory.data());
  try {
    huge_free.reserve(options.kept[huge_index]);
  } catch (const std::exception&) {
    return failed("no memory to list the huge buffers");
  }
  return {};
}

AllocateStatus BufferPool::Impl::allocate(std::uint64_t capacity_hint, BufferHeader*& header) noexcept {
  if (capacity_hint > options.max_buffer_bytes) return AllocateStatus::too_large;
  const Tier tier = tier_for(capacity_hint);
  TierBook& tier_book = book(tier);

  AllocateStatus status = AllocateStatus::ok;
  std::uint64_t bytes = tier_bytes[static_cast<std::size_t>(tier)];
  Magazine* const magazine = tier_book.magazine();
  if (magazine != nullptr && magazine->count != 0) {
    header = &headers[magazine->slots[--magazine->count]];
  } else if (tier == Tier::huge) {
    bytes = round_up(capacity_hint, huge_buffer_step_bytes);
    status = take_huge(bytes, header);
  } else {
    header = take_kept(tier);
    if (header == nullptr) status = make_one_off(tier, bytes, header);
  }
  if (status == AllocateStatus::exhausted) tier_book.exhausted.fetch_add(1, std::memory_order_relaxed);
  if (status != AllocateStatus::ok) return status;

  if (magazine != nullptr) {
    Magazine::add_one(magazine->allocated, std::memory_order_relaxed);
  } else {
    tier_book.allocated.fetch_add(1, std::memory_order_relaxed);
  }
  header->capacity = static_cast<std::uint32_t>(std::min(bytes, options.max_buffer_bytes));
  header->size.store(0, std::memory_order_relaxed);
  header->content_type.store(0, std::memory_order_relaxed);
  step(*header, BufferAction::acquire);
  header->references.store(1, std::memory_order_relaxed);
  return AllocateStatus::ok;
}

BufferHeader* BufferPool::Impl::take_kept(Tier tier) noexcept {
  TierBook& tier_book = book(tier);
  if (BufferHeader* const header = tier_book.free.pop(headers)) return header;
  if (BufferHeader* const header = tier_book.trimmed.pop(headers)) return header;
  const auto number = take_number(tier_book.made, tier_book.kept);
  if (!number) return nullptr;

  const std::uint64_t bytes = tier_bytes[static_cast<std::size_t>(tier)];
  BufferHeader& header = headers[tier_book.first_slot + *number];
  header.pool = owner;
  header.slot = tier_book.first_slot + *number;
  header.data = tier_book.data.data() + *number * bytes;
  header.memory_bytes = bytes;
  header.tier = tier;
  header.pooled = true;
  move_generation_on(header);
  return &header;
}

// The smallest free one that fits; else a new one to keep, in the place of one that is too small where all places are
// taken.
AllocateStatus BufferPool::Impl::take_huge(std::uint64_t bytes, BufferHeader*& header) noexcept {
  const auto smaller = [](const BufferHeader* a, const BufferHeader* b) { return a->memory_bytes < b->memory_bytes; };
  bool has_place = false;
  BufferHeader* too_small = nullptr;
  {
    const std::scoped_lock lock(huge_mutex);
    auto best = huge_free.end();
    for (auto it = huge_free.begin(); it != huge_free.end(); ++it)
      if ((*it)->memory_bytes >= bytes && (best == huge_free.end() || !smaller(*best, *it))) best = it;
    if (best != huge_free.end()) {
      header = *best;
      huge_free.erase(best);
      return AllocateStatus::ok;
    }
    if (huge_kept < options.kept[huge_index]) {
      ++huge_kept;
      has_place = true;
    } else if (!huge_free.empty()) {
      const auto smallest = std::min_element(huge_free.begin(), huge_free.end(), smaller);
      too_small = *smallest;
      huge_free.erase(smallest);
      has_place = true;
    }
  }
  if (!has_place) return make_one_off(Tier::huge, bytes, header);
  if (too_small != nullptr) unmake(*too_small);
  const AllocateStatus status = make(Tier::huge, bytes, true, header);
  if (status == AllocateStatus::ok) {
    book(Tier::huge).made.fetch_add(1, std::memory_order_relaxed);
  } else {
    const std::scoped_lock lock(huge_mutex);
    --huge_kept;
  }
  return status;
}

AllocateStatus BufferPool::Impl::make_one_off(Tier tier, std::uint64_t bytes, BufferHeader*& header) noexcept {
  if (!options.fallback_alloc) return AllocateStatus::exhausted;
  const AllocateStatus status = make(tier, bytes, false, header);
  if (status == AllocateStatus::ok) book(tier).fallbacks.fetch_add(1, std::memory_order_relaxed);
  return status;
}

// A header without memory, or null where all are out.
BufferHeader* BufferPool::Impl::take_extra() noexcept {
  if (BufferHeader* const free = extra_free.pop(headers)) return free;
  const auto number = take_number(extra_used, extra_count);
  if (!number) return nullptr;
  BufferHeader& header = headers[first_extra_slot + *number];
  header.pool = owner;
  header.slot = first_extra_slot + *number;
  move_generation_on(header);
  return &header;
}

AllocateStatus BufferPool::Impl::adopt(std::span<const std::byte> bytes, std::function<void()> release,
                                       BufferHeader*& header) noexcept {
  if (bytes.size() > options.max_buffer_bytes) return AllocateStatus::too_large;
  BufferHeader* const made = take_extra();
  if (made == nullptr) return AllocateStatus::exhausted;
  try {
    const std::scoped_lock lock(adopted_mutex);
    adopted.insert_or_assign(made->slot, std::move(release));
  } catch (const std::bad_alloc&) {
    extra_free.push(headers, made->slot);
    return AllocateStatus::no_memory;
  }
  made->data = const_cast<std::byte*>(bytes.data());  // published at once: nobody writes to it
  made->memory_bytes = bytes.size();
  made->tier = tier_for(bytes.size());
  made->pooled = false;
  made->adopted = true;
  made->capacity = static_cast<std::uint32_t>(bytes.size());
  made->size.store(made->capacity, std::memory_order_relaxed);
  made->content_type.store(0, std::memory_order_relaxed);
  TierBook& tier_book = book(made->tier);
  tier_book.fallbacks.fetch_add(1, std::memory_order_relaxed);
  tier_book.allocated.fetch_add(1, std::memory_order_relaxed);
  step(*made, BufferAction::acquire);
  step(*made, BufferAction::publish);
  made->references.store(1, std::memory_order_relaxed);
  header = made;
  return AllocateStatus::ok;
}

// Huge buffers are mappings, so that all of their memory goes back when they do. Smaller one-offs come from the
// allocator: a mapping each would use up the kernel's `vm.max_map_count`, which instances need.
AllocateStatus BufferPool::Impl::make(Tier tier, std::uint64_t bytes, bool pooled, BufferHeader*& header) noexcept {
  std::byte* const data = tier == Tier::huge
                              ? map_memory(bytes)
                              : static_cast<std::byte*>(std::aligned_alloc(alignof(BufferHeader), bytes));
  if (data == nullptr) return AllocateStatus::no_memory;
  BufferHeader* const made = take_extra();
  if (made == nullptr) {
    tier == Tier::huge ? static_cast<void>(::munmap(data, bytes)) : std::free(data);
    return AllocateStatus::exhausted;
  }
  made->data = data;
  made->memory_bytes = bytes;
  made->tier = tier;
  made->pooled = pooled;
  header = made;
  return AllocateStatus::ok;
}

void BufferPool::Impl::unmake(BufferHeader& header) noexcept {
  std::function<void()> release;
  if (header.adopted) {
    header.adopted = false;
    const std::scoped_lock lock(adopted_mutex);
    release = std::move(adopted.extract(header.slot).mapped());
  } else if (header.tier == Tier::huge) {
    ::munmap(header.data, header.memory_bytes);
  } else {
    std::free(header.data);
  }
  header.data = nullptr;
  extra_free.push(headers, header.slot);
  if (release) release();
}

void BufferPool::Impl::recycle(BufferHeader& header) noexcept {
  TORVYN_ASSERT(header.loans.load(std::memory_order_relaxed) == 0,
                "the last reference to a buffer went while it was lent");
  step(header, BufferAction::release);
  move_generation_on(header);
  step(header, BufferAction::recycle);

  TierBook& tier_book = book(header.tier);
  if (!header.pooled) tier_book.fallbacks_returned.fetch_add(1, std::memory_order_release);
  // Release, after `allocated` of the same buffer: who sees this return sees the allocation too.
  Magazine* const magazine = tier_book.magazine();
  if (magazine != nullptr) {
    Magazine::add_one(magazine->returned, std::memory_order_release);
  } else {
    tier_book.returned.fetch_add(1, std::memory_order_release);
  }
  if (!header.pooled) {
    unmake(header);
  } else if (magazine != nullptr && magazine->count < tier_book.magazine_slots) {
    magazine->slots[magazine->count++] = header.slot;
  } else if (header.tier == Tier::huge) {
    const std::scoped_lock lock(huge_mutex);
    huge_free.push_back(&header);
  } else {
    tier_book.free.push(headers, header.slot);
  }
}

std::string_view tier_name(Tier tier) noexcept {
  switch (tier) {
    case Tier::small:
      return "small";
    case Tier::medium:
      return "medium";
    case Tier::large:
      return "large";
    case Tier::huge:
      return "huge";
  }
  return "?";
}

Result<std::unique_ptr<BufferPool>> BufferPool::create(const PoolOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->options.max_buffer_bytes = std::min(options.max_buffer_bytes, buffer_bytes_max);
  TORVYN_TRY(impl->reserve());
  return std::unique_ptr<BufferPool>(new BufferPool(std::move(impl)));
}

BufferPool::BufferPool(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) { impl_->owner = this; }

BufferPool::~BufferPool() {
  TORVYN_ASSERT(stats().live == 0, "a buffer pool ended before the references to its buffers");
  for (BufferHeader* const header : impl_->huge_free) impl_->unmake(*header);
}

AllocateStatus BufferPool::allocate(std::uint64_t capacity_hint, BufferRef& out) noexcept {
  BufferHeader* header = nullptr;
  const AllocateStatus status = impl_->allocate(capacity_hint, header);
  if (status != AllocateStatus::ok) return status;
  out = BufferRef(header, 0, 0);
  return AllocateStatus::ok;
}

AllocateStatus BufferPool::adopt(std::span<const std::byte> bytes, std::function<void()> release,
                                 BufferRef& out) noexcept {
  BufferHeader* header = nullptr;
  const AllocateStatus status = impl_->adopt(bytes, std::move(release), header);
  if (status != AllocateStatus::ok) return status;
  out = BufferRef(header, 0, static_cast<std::uint32_t>(bytes.size()));
  return AllocateStatus::ok;
}

std::uint64_t BufferPool::max_buffer_bytes() const noexcept { return impl_->options.max_buffer_bytes; }

PoolStats BufferPool::stats() const noexcept {
  PoolStats stats;
  for (std::size_t index = 0; index < stats.tiers.size(); ++index) {
    const TierBook& book = impl_->tiers[index];
    TierStats& tier = stats.tiers[index];
    // What is subtracted is read first: no difference can come out below zero by that.
    const std::uint64_t fallbacks_returned = book.fallbacks_returned.load(std::memory_order_acquire);
    tier.returned = book.counted(&Magazine::returned, book.returned);
    tier.fallbacks = book.fallbacks.load(std::memory_order_acquire);
    const std::uint64_t made = book.made.load(std::memory_order_acquire);
    tier.allocated = book.counted(&Magazine::allocated, book.allocated);
    tier.exhausted = book.exhausted.load(std::memory_order_relaxed);
    tier.buffer_bytes = tier_bytes[index];
    tier.capacity = book.kept;
    tier.reused = less(tier.allocated, tier.fallbacks + made);
    const std::uint64_t live = less(tier.allocated, tier.returned);
    const std::uint64_t live_one_offs = less(tier.fallbacks, fallbacks_returned);
    tier.available = less(tier.capacity, less(live, live_one_offs));
    stats.live += live;
  }
  return stats;
}

void BufferPool::trim() noexcept {
  for (std::size_t index = 0; index < huge_index; ++index) {
    TierBook& book = impl_->tiers[index];
    if (Magazine* const magazine = book.magazine(); magazine != nullptr)
      while (magazine->count != 0) book.free.push(impl_->headers, magazine->slots[--magazine->count]);
    // Bounded: others may release meanwhile.
    for (std::uint32_t left = book.kept; left != 0; --left) {
      BufferHeader* const header = book.free.pop(impl_->headers);
      if (header == nullptr) break;
      ::madvise(header->data, header->memory_bytes, MADV_DONTNEED);
      book.trimmed.push(impl_->headers, header->slot);
    }
  }

  std::unique_lock lock(impl_->huge_mutex);
  auto& huge_free = impl_->huge_free;
  for (std::size_t left = huge_free.size(); left != 0 && !huge_free.empty(); --left) {
    BufferHeader* const header = huge_free.front();
    huge_free.erase(huge_free.begin());
    lock.unlock();
    ::madvise(header->data, header->memory_bytes, MADV_DONTNEED);
    lock.lock();
    huge_free.push_back(header);
  }
}

void BufferPool::recycle(BufferHeader* header) noexcept { impl_->recycle(*header); }

// The count is the only meeting point of a buffer's users. Release: what this thread did with the buffer comes before
// the count goes down. Acquire: whoever takes it to zero has all of that behind it before the buffer is changed or
// handed out again. Taking references (copy, reserve_references) can be relaxed: it starts from one that is held, so
// the count can't reach zero meanwhile. Where all that are left are dropped there is nobody to meet.
void BufferRef::drop_references(BufferHeader* header, std::uint32_t count) noexcept {
  if (header->references.load(std::memory_order_acquire) == count) {
    header->references.store(0, std::memory_order_relaxed);
  } else {
    const std::uint32_t before = header->references.fetch_sub(count, std::memory_order_acq_rel);
    TORVYN_ASSERT(before >= count, "more references to a buffer were dropped than taken");
    if (before != count) return;
  }
  header->pool->recycle(header);
}

BufferRef BufferRef::slice(std::uint32_t offset, std::uint32_t size) const noexcept {
  TORVYN_ASSERT(std::uint64_t{offset} + size <= size_, "a slice reaches beyond what it is cut from");
  BufferRef part(*this);
  part.offset_ += offset;
  part.size_ = size;
  return part;
}

}  // namespace torvyn::resources
