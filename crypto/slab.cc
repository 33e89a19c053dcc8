#include "crypto/slab.h"

#include <sodium.h>

#include <cassert>
#include <cstdint>
#include <mutex>
#include <vector>

namespace godwit::crypto {
namespace {

constexpr std::size_t kSlabSize = 64 * 1024;
constexpr std::size_t kSlotsPerSlab = kSlabSize / kSlotSize;

class Pool {
 public:
  void* Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty() && !Grow()) return nullptr;
    void* slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void Give(void* slot) noexcept {
    // Outside the lock: the slot is still ours.
    sodium_memzero(slot, kSlotSize);
    const std::lock_guard lock(mutex_);
    // Never allocates: Grow made room for every slot there is.
    assert(free_.size() < slots_);
    free_.push_back(slot);
  }

  std::size_t InUse() {
    const std::lock_guard lock(mutex_);
    return slots_ - free_.size();
  }

 private:
  bool Grow() {
    free_.reserve(slots_ + kSlotsPerSlab);
    auto* slab = static_cast<std::uint8_t*>(sodium_malloc(kSlabSize));
    if (slab == nullptr) return false;
    // Locked pages count once, however often they are locked.
    if (sodium_mlock(slab, kSlabSize) != 0) {
      sodium_free(slab);
      return false;
    }
    sodium_memzero(slab, kSlabSize);
    slots_ += kSlotsPerSlab;
    for (std::size_t i = kSlotsPerSlab; i > 0; --i) free_.push_back(slab + (i - 1) * kSlotSize);
    return true;
  }

  std::mutex mutex_;
  std::vector<void*> free_;
  std::size_t slots_ = 0;
};

// Never destroyed: a key with static lifetime may give its slot back after any destructor of ours.
Pool& ThePool() {
  static Pool& pool = *new Pool;
  return pool;
}

}  // namespace

void* TakeSlot() { return ThePool().Take(); }

void GiveSlot(void* slot) noexcept {
  if (slot != nullptr) ThePool().Give(slot);
}

std::size_t SlotsInUse() { return ThePool().InUse(); }

}  // namespace godwit::crypto
