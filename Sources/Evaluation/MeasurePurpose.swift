/// What a measure's random numbers are for, so that no two uses share any.
enum MeasurePurpose: UInt32 {
  case heldOut = 0x7800_0001
  case fewLabels = 0x7800_0002
  case bootstrap = 0x7800_0003
  case clusters = 0x7800_0004
}
