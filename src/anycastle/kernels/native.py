"""Kernels as machine code: compiled once with numba, linked again in milliseconds without it.

Importing numba takes longer than most runs of a command have to do. So a kernel is a plain function over things that
can be indexed; `compile_kernel` gives its object code, to be kept wherever the caller keeps it; `link_kernel` gives a
function from object code, with LLVM's linker alone. Object code is good for one version of the kernel's source and of
llvmlite, and for one kind of processor: `kernel_key` names all of them.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from marshal import dumps
from types import FunctionType, ModuleType
from typing import Any, Final

VALUE: Final = "value"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel's source: the function, what it calls (callees first), and its parameters.

    A parameter is `value` (int64) or the type that it points to. All give an int64. `modules` hold the sources, that of
    the function first.
    """

    function: Callable[..., int]
    inlined: tuple[Callable[..., Any], ...]
    signature: tuple[str, ...]
    modules: tuple[ModuleType, ...]

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.__name__


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """What `compile_kernel` gives: an object file and the symbol to call in it."""

    symbol: str
    octets: bytes


def copy_octets(target: Any, at: int, source: Any, start: int, length: int) -> int:
    """Copy octets, and give the place after them; compiled, this is the processor's own way to copy."""
    for step in range(length):
        target[at + step] = source[start + step]
    return at + length


def kernel_key(kernel: Kernel) -> str:
    """Give what object code of this kernel on this machine is good for, as 32 hexadecimal digits."""
    import llvmlite.binding

    llvm: Any = llvmlite.binding
    functions = (*kernel.inlined, kernel.function)
    # later versions of marshal write references, which depend on who else holds the same constants
    parts = [dumps(function.__code__, 2) for function in functions if isinstance(function, FunctionType)]
    for module in kernel.modules:
        parts += [
            f"{name}={value!r}".encode() for name, value in vars(module).items() if isinstance(value, int | bytes)
        ]
    machine = (
        llvmlite.__version__,
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )
    return sha256(b"\0".join([*parts, repr(kernel.signature).encode(), repr(machine).encode()])).hexdigest()[:32]


def compile_kernel(kernel: Kernel) -> ObjectCode:
    """Compile with numba; takes seconds."""
    import numba

    types: Any = numba.types
    names: dict[str, Any] = dict(vars(kernel.modules[0]))
    for function in kernel.inlined:
        names.update({key: value for key, value in _names_of(function).items() if key not in names})
        copies = function is copy_octets
        names[function.__name__] = _compiled_copy() if copies else _without_literals(_compiler()(_in(names, function)))
    parameters = [types.int64 if kind == VALUE else types.CPointer(getattr(types, kind)) for kind in kernel.signature]
    dispatcher = _compiler(types.int64(*parameters))(_in(names, kernel.function))
    (compiled,) = dispatcher.overloads.values()
    return ObjectCode(compiled.fndesc.llvm_func_name, compiled.library._get_compiled_object())


def _names_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Give the global names of a function."""
    assert isinstance(function, FunctionType)
    return function.__globals__


def _in(names: dict[str, Any], function: Callable[..., Any]) -> FunctionType:
    """Give the function with other globals: its callees compiled."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, names)


def _compiler(*signature: Any) -> Any:
    import numba

    njit: Any = numba.njit
    return njit(*signature, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled_copy() -> Any:
    """Give `copy_octets` as memcpy."""
    import numba
    from numba.core import cgutils
    from numba.extending import intrinsic

    int64: Any = numba.types.int64

    def copy(_typing: Any, target: Any, _at: Any, source: Any, _start: Any, _length: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            into, at_value, out_of, start_value, size = values
            memcpy: Any = cgutils.raw_memcpy
            memcpy(builder, builder.gep(into, [at_value]), builder.gep(out_of, [start_value]), size, 1)
            return builder.add(at_value, size)

        return int64(target, int64, source, int64, int64), generate

    return intrinsic(copy)


def _without_literals(dispatcher: Any) -> Any:
    """Give the dispatcher so that it compiles once, not anew for each constant that it is called with."""
    import numba

    unliteral: Any = numba.types.unliteral
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda arguments, keywords: template(
        [unliteral(each) for each in arguments], keywords
    )
    return dispatcher


def link_kernel(kernel: Kernel, code: ObjectCode) -> Callable[..., int]:
    """Give the function: addresses as integers for pointers. It holds no lock of the interpreter while it runs."""
    import llvmlite.binding

    llvm: Any = llvmlite.binding
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.octets))
    engine.finalize_object()
    kinds = [ctypes.c_int64 if kind == VALUE else ctypes.c_void_p for kind in kernel.signature]
    # numba's calling convention: a place for the result, one for an exception (none is raised), the parameters
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *kinds)
    function = prototype(engine.get_function_address(code.symbol))
    result, exception = ctypes.c_int64(), ctypes.c_void_p()
    result_at, exception_at = ctypes.addressof(result), ctypes.addressof(exception)

    def call(*arguments: int, _code: object = (engine, result, exception)) -> int:  # the code lives with its engine
        status = function(result_at, exception_at, *arguments)
        assert status == 0, f"kernel {kernel.name} gives status {status}"
        return result.value

    return call
