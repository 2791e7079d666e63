func dot(_ a: [Double], _ b: [Double]) -> Double { dot(a[...], b[...]) }

func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
  var sum = 0.0
  for (x, y) in zip(a, b) { sum += x * y }
  return sum
}
