//! Sockets and names: each name and each address is the host's to allow.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    Host as _, HostResolveAddressStream as _, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sync::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView as _};

use crate::ffi::View;
use crate::grants::tell;
use crate::state::{HostRef, State};

type Store<'a> = StoreContextMut<'a, State>;
type Answer<T> = Result<(std::result::Result<T, ErrorCode>,)>;

/// `tvb_address`.
#[repr(C)]
pub struct RawAddress {
    ip: [u8; 16],
    port: u16,
    is_v6: bool,
}

impl RawAddress {
    /// An IPv4 address in IPv6's clothes is told as what it is: a rule about the one would not be met by the other.
    fn new(ip: IpAddr, port: u16) -> RawAddress {
        let mut raw = RawAddress {
            ip: [0; 16],
            port,
            is_v6: false,
        };
        match ip.to_canonical() {
            IpAddr::V4(v4) => raw.ip[..4].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => {
                raw.ip = v6.octets();
                raw.is_v6 = true;
            }
        }
        raw
    }
}

fn use_number(what: SocketAddrUse) -> u32 {
    match what {
        SocketAddrUse::TcpBind => 0,
        SocketAddrUse::TcpListen => 1,
        SocketAddrUse::TcpAccept => 2,
        SocketAddrUse::TcpConnect => 3,
        SocketAddrUse::UdpBind => 4,
        SocketAddrUse::UdpSend => 5,
        SocketAddrUse::UdpReceive => 6,
    }
}

/// The way from a socket to the host. Sockets may be at work on helper threads when their instance ends: from then on the gate is shut, and
/// nothing goes through.
#[derive(Clone)]
pub struct Gate(Arc<Mutex<Option<HostRef>>>);

impl Gate {
    pub fn open(host: HostRef) -> Gate {
        Gate(Arc::new(Mutex::new(Some(host))))
    }

    /// Waits for a call that is on its way through.
    pub fn shut(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn ask(&self, address: SocketAddr, question: impl FnOnce(HostRef, &RawAddress) -> bool) -> bool {
        let host = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        host.is_some_and(|host| question(host, &RawAddress::new(address.ip(), address.port())))
    }

    fn allows(&self, address: SocketAddr, what: SocketAddrUse) -> bool {
        self.ask(address, |host, raw| {
            (host.callbacks.check_address)(host.host, use_number(what), raw)
        })
    }

    /// Whether requests for `name` may go to the address.
    pub fn may_reach(&self, name: &str, address: SocketAddr) -> bool {
        self.ask(address, |host, raw| {
            (host.callbacks.may_reach)(host.host, View::of(name.as_bytes()), raw)
        })
    }

    pub fn guard(&self, wasi: &mut WasiCtxBuilder) {
        let gate = self.clone();
        wasi.socket_addr_check(move |address, what| {
            let allowed = gate.allows(address, what);
            Box::pin(async move { allowed })
        });
    }
}

fn answer<T>(result: SocketResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

fn family_name(family: IpAddressFamily) -> &'static str {
    match family {
        IpAddressFamily::Ipv4 => "ipv4",
        IpAddressFamily::Ipv6 => "ipv6",
    }
}

fn ip_of(address: &IpAddress) -> IpAddr {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]),
    }
}

fn resolve(mut store: Store<'_>, network: Resource<Network>, name: String) -> Answer<Resource<ResolveAddressStream>> {
    let host = store.data().host;
    let allowed = (host.callbacks.may_look_up)(host.host, View::of(name.as_bytes()));
    tell(
        &store,
        "name-lookup",
        "ip-name-lookup.resolve-addresses",
        &name,
        allowed,
    )?;
    if !allowed {
        return Ok((Err(ErrorCode::AccessDenied),));
    }
    let result = store.data_mut().sockets().resolve_addresses(network, name.clone());
    if let Ok(stream) = &result {
        store.data_mut().lookups.insert(stream.rep(), name);
    }
    answer(result)
}

fn resolve_next(mut store: Store<'_>, stream: Resource<ResolveAddressStream>) -> Answer<Option<IpAddress>> {
    let rep = stream.rep();
    let result = store.data_mut().sockets().resolve_next_address(stream);
    if let (Ok(Some(address)), Some(name)) = (&result, store.data().lookups.get(&rep)) {
        let host = store.data().host;
        let raw = RawAddress::new(ip_of(address), 0);
        (host.callbacks.looked_up)(host.host, View::of(name.as_bytes()), &raw);
    }
    answer(result)
}

fn create_tcp(mut store: Store<'_>, family: IpAddressFamily) -> Answer<Resource<TcpSocket>> {
    let allowed = store.data().tcp;
    tell(
        &store,
        "tcp-connect",
        "tcp-create-socket.create-tcp-socket",
        family_name(family),
        allowed,
    )?;
    if !allowed {
        return Ok((Err(ErrorCode::AccessDenied),));
    }
    answer(store.data_mut().sockets().create_tcp_socket(family))
}

fn create_udp(mut store: Store<'_>, family: IpAddressFamily) -> Answer<Resource<UdpSocket>> {
    let allowed = store.data().udp;
    tell(
        &store,
        "udp",
        "udp-create-socket.create-udp-socket",
        family_name(family),
        allowed,
    )?;
    if !allowed {
        return Ok((Err(ErrorCode::AccessDenied),));
    }
    answer(store.data_mut().sockets().create_udp_socket(family))
}

/// The versions are wasmtime-wasi's: with others these would stand beside its functions, not in their place.
/// Requires: WASI is in the linker.
pub fn replace(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);

    let mut lookup = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    lookup.func_wrap(
        "resolve-addresses",
        |store: Store<'_>, (network, name): (Resource<Network>, String)| resolve(store, network, name),
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |store: Store<'_>, (stream,): (Resource<ResolveAddressStream>,)| resolve_next(store, stream),
    )?;
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        |store: Store<'_>, (family,): (IpAddressFamily,)| create_tcp(store, family),
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap(
        "create-udp-socket",
        |store: Store<'_>, (family,): (IpAddressFamily,)| create_udp(store, family),
    )?;

    linker.allow_shadowing(false);
    Ok(())
}
