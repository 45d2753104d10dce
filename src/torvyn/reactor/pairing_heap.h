// A priority queue that allocates nothing.
#pragma once

#include <utility>

namespace torvyn::reactor {

// Its items are linked through themselves. Push takes constant time, the others logarithmic time,
// amortised (a pairing heap: Fredman, Sedgewick, Sleator, Tarjan, 1986). `Links` names an item's three pointers, and the order.
template <class T, class Links>
class PairingHeap {
 public:
  T* top() const noexcept { return root_; }

  void push(T& item) noexcept {
    Links::child(item) = Links::sibling(item) = Links::before(item) = nullptr;
    root_ = join(root_, &item);
  }

  T* pop() noexcept {
    T* const top = root_;
    root_ = join_all(Links::child(*top));
    return top;
  }

  void remove(T& item) noexcept {
    if (&item == root_) {
      pop();
      return;
    }
    T* const before = Links::before(item);
    T* const sibling = Links::sibling(item);
    (Links::child(*before) == &item ? Links::child(*before) : Links::sibling(*before)) = sibling;
    if (sibling != nullptr) Links::before(*sibling) = before;
    root_ = join(root_, join_all(Links::child(item)));
  }

 private:
  // Of two roots the later one becomes the first child of the other. `before` is the parent of a first child, else the sibling to the left.
  static T* join(T* a, T* b) noexcept {
    if (a == nullptr) return b;
    if (b == nullptr) return a;
    if (Links::precedes(*b, *a)) std::swap(a, b);
    T* const child = Links::child(*a);
    Links::sibling(*b) = child;
    if (child != nullptr) Links::before(*child) = b;
    Links::before(*b) = a;
    Links::child(*a) = b;
    return a;
  }

  // Neighbours two by two, then the pairs from the last to the first: that is what makes the time logarithmic.
  static T* join_all(T* first) noexcept {
    T* pairs = nullptr;
    while (first != nullptr) {
      T* const a = first;
      T* const b = detach(a);
      first = b == nullptr ? nullptr : detach(b);
      T* const pair = join(a, b);
      Links::sibling(*pair) = pairs;
      pairs = pair;
    }
    T* root = nullptr;
    while (pairs != nullptr) {
      T* const pair = pairs;
      pairs = detach(pair);
      root = join(root, pair);
    }
    return root;
  }

  static T* detach(T* item) noexcept {
    Links::before(*item) = nullptr;
    return std::exchange(Links::sibling(*item), nullptr);
  }

  T* root_ = nullptr;
};

}  // namespace torvyn::reactor
