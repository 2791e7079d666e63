#if OneDNN
  import COneDNN
  import Foundation

  /// What one thread keeps for its calls: nothing here is shared, so nothing is locked. The code that threads have in
  /// common, oneDNN holds.
  final class OneDNNThread {
    private var calls: [Product: OneDNNCall] = [:]
    private let stream: dnnl_stream_t
    private var scratch = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 4096)
    private var scratchBytes = 1 << 16

    /// A run needs some hundreds, of about 9 kB each; one that never repeats a shape must not grow without bounds.
    private static let limit = 4096

    private init() {
      var stream: dnnl_stream_t?
      BFloat16Backend.check(
        dnnl_stream_create(&stream, BFloat16Backend.engine, dnnl_stream_default_flags.rawValue), "stream")
      self.stream = stream!
    }

    deinit {
      dnnl_stream_destroy(stream)
      scratch.deallocate()
    }

    /// The calling thread's, until it ends.
    static var current: OneDNNThread {
      if let known = pthread_getspecific(slot) { return Unmanaged.fromOpaque(known).takeUnretainedValue() }
      let new = OneDNNThread()
      pthread_setspecific(slot, Unmanaged.passRetained(new).toOpaque())
      return new
    }

    private static let slot: pthread_key_t = {
      var key = pthread_key_t()
      pthread_key_create(&key) { Unmanaged<OneDNNThread>.fromOpaque($0!).release() }
      return key
    }()

    /// The call that computes a product, made where this is the thread's first of its kind.
    func call(for product: Product, _ make: () -> OneDNNCall) -> OneDNNCall {
      if let known = calls[product] { return known }
      if calls.count >= Self.limit { calls.removeAll(keepingCapacity: true) }
      let new = make()
      calls[product] = new
      return new
    }

    func run(_ call: OneDNNCall) {
      if call.scratchBytes > scratchBytes {
        scratch.deallocate()
        scratchBytes = call.scratchBytes + call.scratchBytes / 4
        scratch = .allocate(byteCount: scratchBytes, alignment: 4096)
      }
      call.execute(on: stream, scratch: scratch)
    }
  }

  /// A primitive and the memory objects it is called with, which one thread at a time points at its matrices.
  final class OneDNNCall {
    let scratchBytes: Int
    private let primitive: dnnl_primitive_t
    private let arguments: UnsafeMutablePointer<dnnl_exec_arg_t>
    private let count: Int

    /// - Parameter operands: each one's role and layout, in the order that `point` counts them.
    init(_ description: dnnl_primitive_desc_t?, _ operands: [(role: Int32, layout: dnnl_memory_desc_t)]) {
      var primitive: dnnl_primitive_t?
      BFloat16Backend.check(dnnl_primitive_create(&primitive, description), "kernel")
      self.primitive = primitive!
      var scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0)!.pointee
      scratchBytes = dnnl_memory_desc_get_size(&scratch)
      count = operands.count + 1
      arguments = .allocate(capacity: count)
      for (index, (role, layout)) in (operands + [(role: DNNL_ARG_SCRATCHPAD, layout: scratch)]).enumerated() {
        var layout = layout
        var memory: dnnl_memory_t?
        BFloat16Backend.check(dnnl_memory_create(&memory, &layout, BFloat16Backend.engine, nil), "memory object")
        (arguments + index).initialize(to: dnnl_exec_arg_t(arg: role, memory: memory))
      }
    }

    deinit {
      for index in 0..<count { dnnl_memory_destroy(arguments[index].memory) }
      arguments.deallocate()
      dnnl_primitive_destroy(primitive)
    }

    func point(_ operand: Int, to memory: UnsafeMutableRawPointer) {
      BFloat16Backend.check(dnnl_memory_set_data_handle(arguments[operand].memory, memory), "memory object")
    }

    fileprivate func execute(on stream: dnnl_stream_t, scratch: UnsafeMutableRawPointer) {
      point(count - 1, to: scratch)
      BFloat16Backend.check(dnnl_primitive_execute(primitive, stream, Int32(count), arguments), "multiplication")
      BFloat16Backend.check(dnnl_stream_wait(stream), "multiplication")
    }
  }
#endif
