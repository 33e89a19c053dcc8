#include "crypto/slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace godwit::crypto {
namespace {

bool IsZero(const void* slot) {
  const auto* bytes = static_cast<const std::uint8_t*>(slot);
  return std::all_of(bytes, bytes + kSlotSize, [](std::uint8_t byte) { return byte == 0; });
}

TEST(Slab, SlotsAreZeroApartAndCounted) {
  // More than one slab holds, so that a second one is made.
  constexpr std::size_t kCount = 2500;
  const std::size_t before = SlotsInUse();
  std::vector<void*> slots;
  std::set<std::uintptr_t> places;
  for (std::size_t i = 0; i < kCount; ++i) {
    void* slot = TakeSlot();
    ASSERT_NE(slot, nullptr);
    ASSERT_TRUE(IsZero(slot));
    std::memset(slot, 0xee, kSlotSize);
    slots.push_back(slot);
    places.insert(reinterpret_cast<std::uintptr_t>(slot));
  }
  EXPECT_EQ(SlotsInUse(), before + kCount);
  ASSERT_EQ(places.size(), kCount);
  std::uintptr_t last = 0;
  for (const auto place : places) {
    EXPECT_EQ(place % kSlotSize, 0U);
    EXPECT_TRUE(last == 0 || place - last >= kSlotSize);
    last = place;
  }
  for (void* slot : slots) {
    GiveSlot(slot);
    ASSERT_TRUE(IsZero(slot));
  }
  EXPECT_EQ(SlotsInUse(), before);
}

TEST(Slab, GivingNothingBackIsAllowed) {
  const std::size_t before = SlotsInUse();
  GiveSlot(nullptr);
  EXPECT_EQ(SlotsInUse(), before);
}

TEST(Slab, ThreadsNeverShareASlot) {
  const std::size_t before = SlotsInUse();
  std::vector<std::thread> threads;
  std::vector<int> clean(4, 0);
  for (std::size_t t = 0; t < clean.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 2000; ++round) {
        auto* slot = static_cast<std::uint8_t*>(TakeSlot());
        if (slot == nullptr || !IsZero(slot)) return;
        std::memset(slot, static_cast<int>(t + 1), kSlotSize);
        std::this_thread::yield();
        const auto own = [&](std::uint8_t byte) { return byte == t + 1; };
        if (!std::all_of(slot, slot + kSlotSize, own)) return;
        GiveSlot(slot);
      }
      clean[t] = 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(clean, std::vector<int>(4, 1));
  EXPECT_EQ(SlotsInUse(), before);
}

}  // namespace
}  // namespace godwit::crypto
